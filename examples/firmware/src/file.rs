//! A file in the current directory of a computer: of the one that runs, or through semihosting.

use core::ffi::CStr;

/// The start of `buffer` with the whole file, if there is one and it has room there.
#[must_use]
pub fn read<'a>(name: &CStr, buffer: &'a mut [u8]) -> Option<&'a [u8]> {
    #[cfg(target_os = "none")]
    use semihosting::{fs::File, io::Read};
    #[cfg(not(target_os = "none"))]
    use std::{fs::File, io::Read};

    #[cfg(not(target_os = "none"))]
    let name = name.to_str().ok()?;
    let mut file = File::open(name).ok()?;
    let mut len = 0;
    while let Some(rest) = buffer.get_mut(len..).filter(|rest| !rest.is_empty()) {
        match file.read(rest) {
            Ok(0) | Err(_) => break,
            Ok(n) => len += n,
        }
    }
    buffer.get(..len)
}

/// Writes the file, or says that it cannot.
pub fn write(name: &CStr, file: &[u8]) {
    #[cfg(not(target_os = "none"))]
    let done = name.to_str().is_ok_and(|name| std::fs::write(name, file).is_ok());
    #[cfg(target_os = "none")]
    let done = semihosting::fs::write(name, file).is_ok();
    if !done {
        crate::println!("not written");
    }
}
