# find_package(gradus): the target gradus::gradus, of the installation that this file lies in (PREFIX/share/gradus).
get_filename_component(gradus_PREFIX "${CMAKE_CURRENT_LIST_DIR}/../.." ABSOLUTE)
find_library(gradus_LIBRARY gradus PATHS "${gradus_PREFIX}" NO_DEFAULT_PATH NO_CMAKE_FIND_ROOT_PATH
  PATH_SUFFIXES lib "lib/${CMAKE_LIBRARY_ARCHITECTURE}" lib64)
find_path(gradus_INCLUDE_DIR gradus.h PATHS "${gradus_PREFIX}/include" NO_DEFAULT_PATH NO_CMAKE_FIND_ROOT_PATH)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(gradus REQUIRED_VARS gradus_LIBRARY gradus_INCLUDE_DIR)

if(gradus_FOUND AND NOT TARGET gradus::gradus)
  add_library(gradus::gradus UNKNOWN IMPORTED)
  set_target_properties(gradus::gradus PROPERTIES
    IMPORTED_LOCATION "${gradus_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${gradus_INCLUDE_DIR}"
    INTERFACE_LINK_LIBRARIES "m;${CMAKE_DL_LIBS};pthread")
endif()
