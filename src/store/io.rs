//! Files over `std::io`, and files of the operating system.

use super::{Error, Load, Pieces, Save, StreamError, load_from};
use alloc::{string::ToString, vec};
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

/// Bytes that are written at a time.
const WINDOW: u64 = 1 << 16;

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        Self::new(io::ErrorKind::InvalidData, error)
    }
}

impl From<StreamError<Self>> for io::Error {
    fn from(error: StreamError<Self>) -> Self {
        match error {
            StreamError::File(error) => error.into(),
            StreamError::Stream(error) => error,
            torn @ StreamError::Torn => Self::other(torn.to_string()),
        }
    }
}

/// Saves `value` to a stream, and returns the bytes of the file.
///
/// # Errors
/// The stream's own, or [`InvalidData`](io::ErrorKind::InvalidData) around an [`Error`] if the value cannot be saved.
pub fn write(value: impl Save, mut to: impl Write) -> io::Result<u64> {
    let mut pieces = Pieces::new(value)?;
    let mut window = vec![0; pieces.file_size().min(WINDOW) as usize];
    loop {
        match pieces.take(&mut window) {
            0 => return to.flush().map(|()| pieces.file_size()),
            n => to.write_all(window.get(..n).unwrap_or_default())?,
        }
    }
}

/// Loads `value` from all that `from` holds, which is read twice: see [`load_from`].
///
/// ```
/// use gradus::{AdamState, store};
/// let mut stream = std::io::Cursor::new(Vec::new());
/// store::write(&AdamState::<64>::new(), &mut stream)?;
/// store::read(&mut AdamState::<64>::new(), &mut stream)?;
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// The stream's own, or [`InvalidData`](io::ErrorKind::InvalidData) around an [`Error`] that says what differs: nothing
/// was changed. [`Other`](io::ErrorKind::Other) if the stream failed or gave other bytes the second time: the value
/// holds a part of the file.
pub fn read(value: impl Load, from: impl Read + Seek) -> io::Result<()> {
    let mut from = io::BufReader::with_capacity(WINDOW as usize, from);
    let size = from.seek(SeekFrom::End(0))?;
    let mut place = size;
    let source = |at: u64, piece: &mut [u8]| {
        if place != at {
            from.seek(SeekFrom::Start(at))?;
        }
        from.read_exact(piece)?;
        place = at + piece.len() as u64;
        Ok(())
    };
    Ok(load_from(value, size, source)?)
}

/// Saves `value` to the file at `path`, which is replaced when all is written: whatever fails, and when the power does,
/// the file is the old one or the new one.
///
/// The new one is first written to the same path with `.new` behind it: a path has one writer at a time. A process that
/// is interrupted leaves that file, and the next save replaces it.
///
/// # Errors
/// Those of [`write`](fn@write) and of the file system. The file at `path` is what it was, and no new one is left.
///
/// ```
/// use gradus::{AdamState, store};
/// # let folder = std::env::temp_dir().join(format!("gradus-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// # let path = folder.join("run.gradus");
/// # let path = path.as_path();
/// let mut state = AdamState::<64>::new();
/// store::save_file(&state, path)?; // path: "run.gradus"
/// store::load_file(&mut state, path)?;
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn save_file(value: impl Save, path: impl AsRef<Path>) -> io::Result<u64> {
    let path = path.as_ref();
    let mut new = OsString::from(path);
    new.push(".new");
    let file = File::create(&new)?;
    let size = replace(value, file, &new, path).inspect_err(|_| {
        let _ = fs::remove_file(&new); // the first error is the one to report
    })?;
    // The new name survives a power cut when its folder is written; where a folder cannot be opened, the system does it.
    if let Ok(folder) = File::open(folder(path)) {
        let _ = folder.sync_all();
    }
    Ok(size)
}

/// Saves `value` to the file at `new`, and moves that to `path`.
fn replace(value: impl Save, mut file: File, new: &OsStr, path: &Path) -> io::Result<u64> {
    let size = write(value, &mut file)?;
    file.sync_all()?; // before the name says that it is there
    drop(file); // some systems move or remove no open file
    fs::rename(new, path)?;
    Ok(size)
}

/// The folder of the file at `path`.
fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Loads `value` from the file at `path`.
///
/// # Errors
/// Those of [`read`]; [`NotFound`](io::ErrorKind::NotFound) where nothing was saved yet.
pub fn load_file(value: impl Load, path: impl AsRef<Path>) -> io::Result<()> {
    read(value, File::open(path)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_alone_lies_in_the_folder_of_the_process() {
        for (path, want) in [("run.gradus", "."), ("runs/run.gradus", "runs"), ("/run.gradus", "/")] {
            assert_eq!(folder(Path::new(path)), Path::new(want));
        }
    }
}
