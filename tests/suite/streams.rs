//! Files in pieces: the bytes of a file at once, and a value that is whole or untouched.
#![cfg(feature = "std")]

use gradus::ensemble::{Ensemble, EnsembleVec};
use gradus::noise::Masks;
use gradus::second_order::{Lbfgs, LbfgsSettings, Newton, NewtonSettings};
use gradus::store::{self, Error, Load, PIECE, StreamError};
use gradus::*;
use rand_xoshiro::{Xoshiro128PlusPlus, rand_core::SeedableRng};
use std::io;

/// Every kind of value, many of them across the edges of pieces: behind an odd number of halves no number lies at a
/// multiple of its size, and columns are longer than a piece.
struct Values {
    half: State<InHalf<Momentum>, 5>,
    params: Vec<f32>,
    adam: AdamState<150>,
    nadam: StateVec<Nadam>,
    sgd: SgdState<3>,
    step: u32,
    doubles: [f64; 77],
    generators: (Xoshiro128PlusPlus, Masks, Clock),
    ensembles: (Ensemble<40, 3>, EnsembleVec),
    solvers: (Lbfgs<3, 2, f64>, Newton<2, f64>, Lbfgs<2, 3>),
}

impl Values {
    fn new(seed: u32) -> Self {
        let mut values = Self {
            half: State::new(),
            params: (0..seed % 100).map(|k| k as f32 + 0.5).collect(),
            adam: AdamState::new(),
            nadam: StateVec::new(seed as usize % 90),
            sgd: SgdState::new(),
            step: seed,
            doubles: core::array::from_fn(|k| f64::from(seed) / (1.0 + k as f64)),
            generators: (
                Xoshiro128PlusPlus::seed_from_u64(seed.into()),
                Masks::new(seed.into()),
                Clock { t: seed, carry: 0.5 },
            ),
            ensembles: (Ensemble::new(), EnsembleVec::new()),
            solvers: (Lbfgs::new(), Newton::new(), Lbfgs::new()),
        };
        let grads = core::array::from_fn(|k| (k as f32 - 70.0) * seed as f32);
        Adam::new(0.1).step(&mut [0.0; 150], &grads, &mut values.adam);
        Momentum::new(0.1).half().step(&mut [0.0; 5], &[seed as f32; 5], &mut values.half);
        for k in 0..seed % 3 {
            values.ensembles.0.push(&[k as f32 + 0.25; 40]).unwrap();
            values.ensembles.1.push(&[k as f32; 9]).unwrap();
        }
        values.solvers.0.start(&LbfgsSettings::new(), &[1.0, 2.0, seed.into()]).unwrap();
        values.solvers.1.start(&NewtonSettings::new(), &[1.0, seed.into()]).unwrap();
        values
    }

    fn parts(&mut self) -> impl Load {
        let Self { half, params, adam, nadam, sgd, step, doubles, generators, ensembles, solvers } = self;
        let (a, b, c) = generators;
        let (d, e) = ensembles;
        let (f, g, h) = solvers;
        ((half, params, adam, nadam, sgd), (step, doubles), (a, b, c), (d, e), (f, g, h))
    }

    fn file(&mut self) -> Vec<u8> {
        store::to_vec(self.parts()).unwrap()
    }
}

#[test]
fn pieces_of_any_size_make_the_same_file() {
    let mut values = Values::new(188);
    let file = values.file();
    assert!(file.len() > 2 * PIECE && !file.len().is_multiple_of(PIECE));
    for size in (1..300).chain([PIECE, 1000, file.len() - 1, file.len(), file.len() + 1]) {
        let mut pieces = store::Pieces::new(values.parts()).unwrap();
        assert_eq!(pieces.file_size(), file.len() as u64);
        let (mut piece, mut found) = (vec![0; size], Vec::<u8>::new());
        loop {
            piece.fill(0xaa);
            let n = pieces.take(&mut piece);
            found.extend(&piece[..n]);
            if n < size {
                assert!(piece[n..].iter().all(|&byte| byte == 0xaa), "more is written than said");
                break;
            }
        }
        assert!(found == file, "pieces of {size}");
        assert_eq!(pieces.take(&mut piece), 0);
    }
    let mut pieces = store::Pieces::new(7_u32).unwrap();
    pieces.take(&mut [0; 10]);
    assert_eq!(format!("{pieces:?}"), "Pieces { value: 7, size: 52, at: 10, .. }");
}

#[test]
fn a_sink_gets_whole_pieces_until_it_fails() {
    let mut values = Values::new(188);
    let file = values.file();
    let mut found = Vec::new();
    let size = store::save_to(values.parts(), |piece| {
        assert!(piece.len() == PIECE || found.len() + piece.len() == file.len());
        found.extend_from_slice(piece);
        Ok::<_, ()>(())
    });
    assert_eq!((size, found == file), (Ok(file.len() as u64), true));
    let all = file.len().div_ceil(PIECE);
    for good in 0..all {
        let mut calls = 0;
        let result = store::save_to(values.parts(), |_| {
            calls += 1;
            if calls > good { Err("full") } else { Ok(()) }
        });
        assert_eq!((result, calls), (Err(StreamError::Stream("full")), good + 1));
    }
    let (mut m, mut v, mut clock) = ([0.0; 3], [0.0; 2], Clock::new());
    let crooked = StateMut::<Adam>::new([&mut m, &mut v], &mut clock);
    let error = store::save_to(crooked, |_| -> Result<(), ()> { panic!("nothing is written") });
    assert_eq!(error, Err(StreamError::File(Error::Elements { expected: 3, found: 2 })));
}

/// Loads `file` from a source, which is asked for whole pieces in their order.
fn load_from(value: impl Load, file: &[u8]) -> Result<(), StreamError<()>> {
    let mut next = 0;
    store::load_from(value, file.len() as u64, |at, piece| {
        if at == 0 {
            next = 0; // the second time
        }
        assert_eq!(at, next);
        assert!(!piece.is_empty());
        next += piece.len() as u64;
        assert!(piece.len() == PIECE || next == file.len() as u64, "{at} {}", piece.len());
        piece.copy_from_slice(&file[at as usize..][..piece.len()]);
        Ok(())
    })
}

#[test]
fn a_source_gives_what_memory_gives() {
    let file = Values::new(188).file();
    for seed in [5, 188, 1000] {
        let mut values = Values::new(seed);
        load_from(values.parts(), &file).unwrap();
        assert!(values.file() == file);
    }
    // Refused for the same reasons, and nothing changed.
    let mut values = Values::new(7);
    let before = values.file();
    let mut refused = |file: &[u8]| {
        let error = load_from(values.parts(), file).unwrap_err();
        assert_eq!(Err(error), store::load(values.parts(), file).map_err(StreamError::File));
        assert!(values.file() == before);
        error
    };
    for n in (0..file.len()).step_by(7) {
        assert!(matches!(refused(&file[..n]), StreamError::File(Error::Length { .. })), "{n}");
    }
    for bit in (0..8 * file.len()).step_by(11) {
        let mut damaged = file.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        let error = refused(&damaged);
        assert!(bit < 16 * 8 || error == StreamError::File(Error::Checksum), "bit {bit}: {error:?}");
    }
    refused(&store::to_vec(([1.0_f32; 200], 7_u32)).unwrap());
}

#[test]
fn a_source_that_fails_is_reported_by_when_it_does() {
    let file = Values::new(188).file();
    let calls = file.len().div_ceil(PIECE);
    for good in 0..2 * calls {
        for lies in [false, true] {
            let mut values = Values::new(7);
            let before = values.file();
            let mut call = 0;
            let result = store::load_from(values.parts(), file.len() as u64, |at, piece| {
                piece.copy_from_slice(&file[at as usize..][..piece.len()]);
                call += 1;
                match (call > good, lies) {
                    (false, _) => Ok(()),
                    (true, false) => Err("unplugged"),
                    (true, true) => {
                        piece[0] ^= 0x40; // all lengths become huge
                        piece[piece.len() / 2] ^= 0xff;
                        Ok(())
                    }
                }
            });
            if good < calls {
                let error = result.unwrap_err();
                assert!(matches!(error, StreamError::Stream("unplugged") | StreamError::File(_)), "{error}");
                assert_eq!(matches!(error, StreamError::File(_)), lies);
                assert!(values.file() == before, "{good}");
            } else {
                assert_eq!(result, Err(StreamError::Torn), "{good}");
                // Whatever it holds now, a good file heals it.
                store::load(values.parts(), &file).unwrap();
                assert!(values.file() == file);
            }
        }
    }
}

#[test]
fn an_error_has_the_words_of_what_failed() {
    assert_eq!(StreamError::<&str>::File(Error::Foreign).to_string(), "not a gradus file");
    assert_eq!(StreamError::Stream("unplugged").to_string(), "unplugged");
    let torn = "the file changed while it was read: the value holds a part of it";
    assert_eq!(StreamError::<&str>::Torn.to_string(), torn);
}

/// A file that is another the second time asks for no more memory than it has bytes.
#[test]
fn a_length_that_changes_is_no_length() {
    let file = store::to_vec((StateVec::<Adam>::new(3), vec![1.0_f32; 3], EnsembleVec::new())).unwrap();
    let (length, vector) = (16 + 20, 16 + 28 + 8 + 24 + 20);
    for at in [length, vector] {
        let mut values = (StateVec::<Adam>::new(1), vec![0.0_f32], EnsembleVec::new());
        let mut call = 0;
        let result = store::load_from(&mut values, file.len() as u64, |_, piece| {
            piece.copy_from_slice(&file);
            call += 1;
            if call > 1 {
                piece[at..at + 8].fill(0xff);
            }
            Ok::<_, ()>(())
        });
        assert_eq!(result, Err(StreamError::Torn));
        assert!(values.1.len() < file.len() && values.0.columns()[0].len() < file.len());
    }
}

#[test]
fn streams_of_std() {
    let mut values = Values::new(188);
    let file = values.file();
    let mut stream = io::Cursor::new(Vec::new());
    assert_eq!(store::write(values.parts(), &mut stream).unwrap(), file.len() as u64);
    assert!(stream.get_ref() == &file);
    let mut other = Values::new(3);
    store::read(other.parts(), &mut stream).unwrap();
    assert!(other.file() == file);
    stream.get_mut().push(0);
    let error = store::read(other.parts(), &mut stream).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    assert!(error.get_ref().unwrap().is::<Error>());
    let mut short = [0_u8; 100];
    let error = store::write(values.parts(), &mut short[..]).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::WriteZero);
}

/// A stream that counts its calls.
struct Counted {
    stream: io::Cursor<Vec<u8>>,
    reads: usize,
    seeks: usize,
}

impl io::Read for Counted {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        self.reads += 1;
        self.stream.read(to)
    }
}

impl io::Seek for Counted {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        self.seeks += 1;
        self.stream.seek(to)
    }
}

/// The pieces of a file are not asked of the system one by one.
#[test]
fn a_stream_is_read_twice_from_its_beginning_to_its_end() {
    let file = Values::new(188).file();
    let mut counted = Counted { stream: io::Cursor::new(file), reads: 0, seeks: 0 };
    store::read(Values::new(3).parts(), &mut counted).unwrap();
    assert_eq!((counted.reads, counted.seeks), (2, 3)); // once to the end, for the size
}

#[test]
fn a_file_is_replaced_at_once() {
    let folder = std::env::temp_dir().join(format!("gradus-streams-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("run.gradus");
    let missing = store::load_file(Values::new(1).parts(), &path).unwrap_err();
    assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    for seed in [188, 20] {
        let mut values = Values::new(seed);
        store::save_file(values.parts(), &path).unwrap();
        let mut other = Values::new(3);
        store::load_file(other.parts(), &path).unwrap();
        assert!(other.file() == values.file());
    }
    // A value that cannot be saved, and a disk that is full: the file is what it was, and nothing is left beside it.
    let new = folder.join("run.gradus.new");
    let (mut m, mut v, mut clock) = ([0.0; 3], [0.0; 2], Clock::new());
    let crooked = StateMut::<Adam>::new([&mut m, &mut v], &mut clock);
    assert_eq!(store::save_file(crooked, &path).unwrap_err().kind(), io::ErrorKind::InvalidData);
    assert!(!new.exists());
    #[cfg(target_os = "linux")]
    {
        std::os::unix::fs::symlink("/dev/full", &new).unwrap();
        let full = store::save_file(Values::new(188).parts(), &path).unwrap_err();
        assert_eq!(full.kind(), io::ErrorKind::StorageFull);
        assert!(new.symlink_metadata().is_err(), "the new file is left");
    }
    let mut other = Values::new(3);
    store::load_file(other.parts(), &path).unwrap();
    assert!(other.file() == Values::new(20).file());
    // What an interrupted process has left is replaced.
    std::fs::write(&new, [7; 10_000]).unwrap();
    store::save_file(Values::new(5).parts(), &path).unwrap();
    store::load_file(other.parts(), &path).unwrap();
    assert!(other.file() == Values::new(5).file() && !new.exists());
    // One that cannot be made is not the one that is removed.
    std::fs::create_dir(&new).unwrap();
    assert!(store::save_file(1_u32, &path).is_err() && new.is_dir());
    assert!(store::save_file(1_u32, folder.join("no folder").join("run.gradus")).is_err());
    std::fs::remove_dir_all(folder).unwrap();
}
