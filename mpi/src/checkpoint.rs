//! Checkpoints that another number of ranks continues.
//!
//! ```text
//! run/step-0000000120-0/slice-0000     parameters and state of one slice: a file of gradus::store
//!                       slice-0001
//!                       manifest       checksums of all of them and of itself; written last
//! ```
//!
//! A folder without a manifest is no checkpoint, whatever else it has: a save that was cut off. Each save goes to a folder
//! of its own, and the older ones are removed when it is complete.

use crate::Sharded;
use crate::error::{Error, agree, gather, texts};
use crate::trainer::{Phase, same};
use gradus::store::{self, Load};
use gradus::transform::Transform;
use gradus::{Optimizer, StateVec};
use mpi::topology::SimpleCommunicator;
use mpi::traits::Communicator;
use serde::{Deserialize, Serialize};
use std::fmt::Debug;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// What a checkpoint says of itself.
#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    optimizer: String, // for the reader: a run may go on with another rate
    tensors: Vec<usize>,
    shards: usize,
    steps: u32,
    skipped: u32,
    slices: Vec<Slice>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Slice {
    file: String,
    params: Range<usize>,
    bytes: u64,
    crc32: u32,
}

static CRC: crc::Crc<u32> = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC);
const MANIFEST: &str = "manifest";

impl Manifest {
    /// Writes it and its checksum, complete or not at all.
    fn write(&self, folder: &Path) -> io::Result<()> {
        let text = serde_json::to_string_pretty(self)?;
        let new = folder.join("manifest.new");
        let mut file = File::create(&new)?;
        write!(file, "gradus-mpi 1 {:08x}\n{text}", CRC.checksum(text.as_bytes()))?;
        file.sync_all()?;
        fs::rename(&new, folder.join(MANIFEST))?;
        File::open(folder)?.sync_all()
    }

    fn read(folder: &Path) -> io::Result<Self> {
        let path = folder.join(MANIFEST);
        let refused = |why: &str| io::Error::other(format!("{}: {why}", path.display()));
        let text = fs::read_to_string(&path).map_err(|error| refused(&error.to_string()))?;
        let (head, text) = text.split_once('\n').unwrap_or_default();
        let sum =
            head.strip_prefix("gradus-mpi 1 ").ok_or_else(|| refused("not a manifest of this version"))?;
        if u32::from_str_radix(sum, 16) != Ok(CRC.checksum(text.as_bytes())) {
            return Err(refused("wrong checksum: the file is damaged"));
        }
        Ok(serde_json::from_str(text)?)
    }
}

/// The complete checkpoints in a directory, the newest last, and all other folders of this kind.
fn checkpoints(dir: &Path) -> io::Result<(Vec<String>, Vec<String>)> {
    let mut names = Vec::new();
    for entry in fs::read_dir(dir)? {
        names.extend(entry?.file_name().into_string().ok().filter(|name| name.starts_with("step-")));
    }
    names.sort();
    Ok(names.into_iter().partition(|name| dir.join(name).join(MANIFEST).exists()))
}

/// The error of a file or directory, with its name.
fn named(path: &Path) -> impl FnOnce(io::Error) -> io::Error {
    move |error| io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// What rank 0 has found, on every rank.
fn from_root(
    world: &SimpleCommunicator,
    found: impl FnOnce() -> io::Result<String>,
) -> Result<String, Error> {
    let found = if world.rank() == 0 { found() } else { Ok(String::new()) };
    Ok(texts(world, &agree(world, found)?).concat())
}

impl<O, T> Sharded<'_, O, T>
where
    O: Optimizer + Debug,
    T: Transform + Debug,
    StateVec<O::Family>: Load,
{
    /// Saves the run to a directory that all ranks see: every rank writes its slice, and rank 0 says when all are there.
    ///
    /// Until then the checkpoint before it stays; whenever a rank dies, [`load`](Self::load) finds the newest complete one.
    ///
    /// # Errors
    /// An [`Error`], on every rank, if a rank cannot write, or if the directory has a later step already.
    pub fn save(&mut self, dir: impl AsRef<Path>, params: &[f32]) -> Result<(), Error> {
        let (dir, steps) = (dir.as_ref(), self.steps);
        same(self.world, &[("the number of parameters", params.len() as u64), ("the step", steps.into())])?;
        if params.len() != self.layout.len() {
            return Err(Error::Length { rank: 0, expected: self.layout.len(), found: params.len() });
        }
        let prefix = format!("step-{steps:010}-");
        let name = from_root(self.world, || {
            fs::create_dir_all(dir).map_err(named(dir))?;
            let (complete, partial) = checkpoints(dir).map_err(named(dir))?;
            if let Some(later) = complete.last().filter(|name| **name > format!("{prefix}~")) {
                let later = dir.join(later);
                return Err(io::Error::other(format!("{}: a later step than {steps}", later.display())));
            }
            let tries = complete.iter().chain(&partial).filter(|name| name.starts_with(&prefix)).count();
            let name = (tries..).map(|k| format!("{prefix}{k:04}")).find(|name| !dir.join(name).exists());
            let name = name.unwrap_or_default();
            fs::create_dir(dir.join(&name)).map_err(named(dir)).map(|()| name)
        })?;
        let folder = dir.join(&name);
        let written = agree(self.world, self.write_slice(&folder, params))?;
        self.reach(Phase::Written);
        let ranks = self.world.size() as usize;
        let sums = gather(self.world, &written, &vec![2; ranks]);
        let completed = if self.world.rank() == 0 {
            let slice = |(rank, sums): (usize, &[u64])| Slice {
                file: slice_name(rank),
                params: self.layout.slice(rank, ranks),
                bytes: sums[0],
                crc32: sums[1] as u32,
            };
            let manifest = Manifest {
                optimizer: format!("{:?}", self.optimizer),
                tensors: self.layout.lengths(),
                shards: self.shards.0,
                steps,
                skipped: self.skipped,
                slices: sums.chunks_exact(2).enumerate().map(slice).collect(),
            };
            manifest.write(&folder).and_then(|()| File::open(dir)?.sync_all()).map_err(named(&folder))
        } else {
            Ok(())
        };
        agree(self.world, completed)?;
        self.reach(Phase::Complete);
        let removed =
            if self.world.rank() == 0 { remove_others(dir, &name).map_err(named(dir)) } else { Ok(()) };
        agree(self.world, removed)
    }

    /// Writes the slice of this rank. Returns the bytes of the file, and its checksum.
    fn write_slice(&self, folder: &Path, params: &[f32]) -> io::Result<[u64; 2]> {
        let path = folder.join(slice_name(self.world.rank() as usize));
        let slice = params.get(self.slice.clone()).ok_or(io::ErrorKind::InvalidInput)?;
        let bytes = store::save_file((slice, &self.state), &path).map_err(named(&path))?;
        Ok([bytes, trailer(&path).map_err(named(&path))?.into()])
    }

    /// Goes on from the newest checkpoint in a directory, if it has one: also from one of another number of ranks.
    ///
    /// Returns whether it has. The trainer is made as for the first step; the hyper-parameters are the caller's, as always.
    ///
    /// # Errors
    /// An [`Error`], on every rank, if a file is missing, damaged or cut off, or of another run.
    pub fn load(&mut self, dir: impl AsRef<Path>, params: &mut [f32]) -> Result<bool, Error> {
        let dir = dir.as_ref();
        let name = from_root(self.world, || match checkpoints(dir) {
            Ok((mut complete, _)) => Ok(complete.pop().unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
            Err(error) => Err(named(dir)(error)),
        })?;
        if name.is_empty() {
            return Ok(false);
        }
        let (manifest, own, state) = agree(self.world, self.read_slice(&dir.join(name), params.len()))?;
        self.exchange.gather(self.world, &own, params);
        (self.state, self.steps, self.skipped) = (state, manifest.steps, manifest.skipped);
        self.unknown = true;
        Ok(true)
    }

    /// The parameters and the state of this rank's slice, out of the slices of any number of ranks.
    fn read_slice(&self, folder: &Path, n: usize) -> io::Result<(Manifest, Vec<f32>, StateVec<O::Family>)> {
        let manifest = Manifest::read(folder)?;
        let refused = |what: &str, found: &dyn Debug, expected: &dyn Debug| {
            let text = format!("{}: {what} {found:?} where {expected:?} was expected", folder.display());
            Err(io::Error::other(text))
        };
        if manifest.tensors != self.layout.lengths() {
            return refused("tensors", &manifest.tensors, &self.layout.lengths());
        }
        if manifest.shards != self.shards.0 {
            return refused("shards", &manifest.shards, &self.shards.0);
        }
        if n != self.layout.len() {
            return refused("parameters", &self.layout.len(), &n);
        }
        let slice = &self.slice;
        let mut params = vec![0.0; slice.len()];
        let mut state = StateVec::<O::Family>::new(slice.len());
        for (k, part) in manifest.slices.iter().enumerate() {
            let (from, to) = (slice.start.max(part.params.start), slice.end.min(part.params.end));
            // A slice without a parameter takes its clock from the first file.
            if from >= to && !(slice.is_empty() && k == 0) {
                continue;
            }
            let (found, found_state) = part.read::<O>(folder)?;
            state.clock = found_state.clock;
            if from < to {
                let (own, other) =
                    (from - slice.start..to - slice.start, from - part.params.start..to - part.params.start);
                params[own.clone()].copy_from_slice(&found[other.clone()]);
                let mut columns = state.columns_mut();
                for (column, found) in columns.as_mut().iter_mut().zip(found_state.columns()) {
                    column[own.clone()].copy_from_slice(&found[other.clone()]);
                }
            }
        }
        Ok((manifest, params, state))
    }
}

impl Slice {
    /// Reads a slice that is as the manifest has it.
    fn read<O: Optimizer>(&self, folder: &Path) -> io::Result<(Vec<f32>, StateVec<O::Family>)>
    where
        StateVec<O::Family>: Load,
    {
        let path = folder.join(&self.file);
        let (mut params, mut state) = (Vec::new(), StateVec::new(0));
        let mut read = || {
            let bytes = fs::metadata(&path)?.len();
            if bytes != self.bytes {
                return Err(io::Error::other(format!("{bytes} bytes where {} were written", self.bytes)));
            }
            store::load_file((&mut params, &mut state), &path)?;
            if trailer(&path)? != self.crc32 {
                return Err(io::Error::other("another file than the one that was written"));
            }
            Ok(())
        };
        read().map_err(named(&path))?;
        Ok((params, state))
    }
}

fn slice_name(rank: usize) -> String {
    format!("slice-{rank:04}")
}

/// The checksum at the end of a file of gradus.
fn trailer(path: &Path) -> io::Result<u32> {
    let (mut file, mut sum) = (File::open(path)?, [0; 4]);
    file.seek(SeekFrom::End(-4))?;
    file.read_exact(&mut sum)?;
    Ok(u32::from_le_bytes(sum))
}

/// Removes all folders but the one of this name, manifests first: none is ever complete and damaged.
fn remove_others(dir: &Path, name: &str) -> io::Result<()> {
    let (complete, partial) = checkpoints(dir)?;
    for other in complete.iter().chain(&partial).filter(|other| *other != name) {
        let folder: PathBuf = dir.join(other);
        if complete.contains(other) {
            fs::remove_file(folder.join(MANIFEST))?;
        }
        fs::remove_dir_all(folder)?;
    }
    Ok(())
}
