# Finds gradus, and defines the target gradus::gradus. Copy it into your project.
find_path(gradus_INCLUDE_DIR gradus.h PATH_SUFFIXES gradus)
find_library(gradus_LIBRARY gradus)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(gradus REQUIRED_VARS gradus_LIBRARY gradus_INCLUDE_DIR)

if(gradus_FOUND AND NOT TARGET gradus::gradus)
  add_library(gradus::gradus UNKNOWN IMPORTED)
  set_target_properties(gradus::gradus PROPERTIES
    IMPORTED_LOCATION "${gradus_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${gradus_INCLUDE_DIR}"
    INTERFACE_LINK_LIBRARIES "m;${CMAKE_DL_LIBS};pthread")
endif()
