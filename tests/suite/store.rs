//! The file format: its bytes, and what it refuses.
#![cfg(feature = "std")]

use gradus::store::{self, Error, Load, Save};
use gradus::*;
use proptest::prelude::*;
use rand_xoshiro::{Xoshiro128PlusPlus, rand_core::SeedableRng};

/// CRC-32 by its definition, a bit at a time.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = !0_u32;
    for &byte in bytes {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
    }
    !crc
}

/// A file around `records`, by the table in the documentation.
fn framed(records: &[u8]) -> Vec<u8> {
    let mut file = b"gradus\x01\x00".to_vec();
    file.extend((records.len() as u64 + 20).to_le_bytes());
    file.extend(records);
    file.extend(crc32(&file).to_le_bytes());
    file
}

fn head(name: &str, columns: u32, length: u64) -> Vec<u8> {
    let mut head = name.as_bytes().to_vec();
    head.resize(16, 0);
    head.extend(columns.to_le_bytes());
    head.extend(length.to_le_bytes());
    head
}

/// A run to save: every kind of value at once.
#[derive(Clone, Debug)]
struct Run {
    params: [f32; 3],
    adam: AdamState<3>,
    nadam: StateVec<Nadam>,
    sgd: SgdState<3>,
    clock: Clock,
    generator: Xoshiro128PlusPlus,
    step: u32,
    doubles: Vec<f64>,
}

impl Run {
    fn new(seed: u32) -> Self {
        let mut run = Self {
            params: [1.5, -0.0, f32::from_bits(seed)],
            adam: AdamState::new(),
            nadam: StateVec::new(2),
            sgd: SgdState::new(),
            clock: Clock { t: seed, carry: 0.25 },
            generator: Xoshiro128PlusPlus::seed_from_u64(seed.into()),
            step: seed,
            doubles: vec![0.1, f64::from(seed)],
        };
        Adam::new(0.1).step(&mut run.params, &[0.5, -2.0, 1e-30], &mut run.adam);
        let (mut params, grads) = ([0.0; 2], [seed as f32, -1.0]);
        Nadam::new(0.1).step_slices(&mut params, &grads, run.nadam.as_mut()).unwrap();
        run
    }

    fn save(&self) -> Vec<u8> {
        let Self { params, adam, nadam, sgd, clock, generator, step, doubles } = self;
        store::to_vec((params, adam, nadam, sgd, clock, generator, step, doubles)).unwrap()
    }

    fn load(&mut self, file: &[u8]) -> Result<(), Error> {
        let Self { params, adam, nadam, sgd, clock, generator, step, doubles } = self;
        store::load((params, adam, nadam, sgd, clock, generator, step, doubles), file)
    }

    /// All of it as text: bits that differ but compare equal (0, NaN) cannot hide.
    fn bits(&self) -> String {
        format!("{self:?} {:?}", self.params.map(f32::to_bits))
    }
}

#[test]
fn a_file_has_the_bytes_that_the_documentation_says() {
    let mut state = AdamState::<2>::new();
    state.columns = [[1.0, 2.0], [3.0, 4.0]];
    state.clock = Clock { t: 0x0102_0304, carry: -0.0 };
    let mut records = head("adam", 2, 2);
    records.extend([4, 3, 2, 1, 0, 0, 0, 0x80]);
    records.extend([1.0_f32, 2.0, 3.0, 4.0].map(f32::to_le_bytes).concat());
    assert_eq!(store::to_vec(&state).unwrap(), framed(&records));

    let generator = Xoshiro128PlusPlus::from_seed(core::array::from_fn(|k| k as u8));
    let mut records = head("xoshiro128++", 1, 1);
    records.extend(0..16);
    records.extend(head("u32", 1, 1));
    records.extend(7_u32.to_le_bytes());
    records.extend(head("f64", 1, 1));
    records.extend(0.1_f64.to_le_bytes());
    assert_eq!(store::to_vec((&generator, 7_u32, [0.1_f64])).unwrap(), framed(&records));
}

#[test]
fn a_run_comes_back_with_every_bit() {
    let run = Run::new(0x7fa0_0001); // as f32 a signalling NaN
    let mut other = Run::new(9);
    other.load(&run.save()).unwrap();
    assert_eq!(other.bits(), run.bits());
    assert_eq!(other.save(), run.save());
}

#[test]
fn every_flipped_bit_is_refused_and_nothing_changes() {
    let file = Run::new(1).save();
    let mut run = Run::new(2);
    let before = run.bits();
    for bit in 0..8 * file.len() {
        let mut damaged = file.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        let want = match bit / 8 {
            0..6 => Error::Foreign,
            6..8 => Error::Version { found: u16::from_le_bytes([damaged[6], damaged[7]]) },
            8..16 => {
                let expected = u64::from_le_bytes(damaged[8..16].try_into().unwrap());
                Error::Length { expected, found: file.len() as u64 }
            }
            _ => Error::Checksum,
        };
        assert_eq!(run.load(&damaged), Err(want), "bit {bit}");
    }
    assert_eq!(run.bits(), before);
}

#[test]
fn every_other_length_is_refused_and_nothing_changes() {
    let file = Run::new(1).save();
    let mut run = Run::new(2);
    let before = run.bits();
    for n in 0..file.len() {
        let expected = if n < 16 { 20 } else { file.len() as u64 };
        assert_eq!(run.load(&file[..n]), Err(Error::Length { expected, found: n as u64 }));
    }
    let mut longer = file.clone();
    longer.push(0);
    assert!(run.load(&longer).is_err());
    assert_eq!(run.bits(), before);
}

#[test]
fn a_file_of_no_records_is_the_shortest() {
    let mut nothing: [SgdState<1>; 0] = [];
    let file = store::to_vec(&nothing[..]).unwrap();
    assert_eq!(file, framed(&[]));
    assert_eq!(store::load(&mut nothing[..], &file), Ok(()));
    for n in 16..20 {
        let mut shorter = file[..n].to_vec();
        shorter[8] = n as u8; // says so itself
        let cut = Error::Length { expected: 20, found: n as u64 };
        assert_eq!(store::load(&mut nothing[..], &shorter), Err(cut));
    }
}

/// The names of this crate have fifteen letters at most, those in a file may have one more.
#[test]
fn a_name_in_a_file_may_fill_its_place() {
    let file = framed(&head("sixteen letters!", 1, 3));
    let error = store::load(&mut [0.0_f32; 3], &file).unwrap_err();
    assert_eq!(error.to_string(), "the file holds `sixteen letters!`, not `f32`");
    assert_eq!(format!("{error:?}"), "Name { expected: Name(f32), found: Name(sixteen letters!) }");
}

#[test]
fn a_whole_file_of_another_shape_is_refused_and_nothing_changes() {
    let mut state = AdamState::<3>::new();
    state.columns[0][0] = 7.0;
    let before = state.clone();
    let mut params = [5.0_f32; 3];
    let mut refused = |saved: Result<Vec<u8>, Error>, want: Error| {
        let error = store::load((&mut params, &mut state), &saved.unwrap()).unwrap_err();
        assert_eq!(error, want);
        assert_eq!((params, &state), ([5.0; 3], &before));
        error.to_string()
    };
    let adam = AdamState::<3>::new();
    let name = |text| store::Name::new(text);
    let text = refused(
        store::to_vec(([0.0_f32; 3], AdamWState::<3>::new())),
        Error::Name { expected: name("adam"), found: name("adamw") },
    );
    assert_eq!(text, "the file holds `adamw`, not `adam`");
    refused(store::to_vec(([0.0_f32; 4], &adam)), Error::Elements { expected: 3, found: 4 });
    refused(store::to_vec(([0.0_f64; 3], &adam)), Error::Name { expected: name("f32"), found: name("f64") });
    refused(store::to_vec((&adam, [0.0_f32; 3])), Error::Name { expected: name("f32"), found: name("adam") });
    // Too few records, and too many.
    refused(store::to_vec([0.0_f32; 3]), Error::Name { expected: name("adam"), found: name("") });
    refused(store::to_vec(([0.0_f32; 3], &adam, 1_u32)), Error::Length { expected: 120, found: 152 });

    let mut other_columns = head("f32", 1, 3);
    other_columns.extend([0; 12]);
    other_columns.extend(head("adam", 1, 3));
    other_columns.extend([0; 8 + 12]);
    refused(Ok(framed(&other_columns)), Error::Columns { expected: 2, found: 1 });
}

#[test]
fn a_generator_of_zeros_is_refused() {
    let mut records = head("xoshiro128++", 1, 1);
    records.extend([0; 16]);
    let mut generator = Xoshiro128PlusPlus::seed_from_u64(1);
    let error = store::load(&mut generator, &framed(&records)).unwrap_err();
    assert_eq!(error, Error::Value { name: store::Name::new("xoshiro128++") });
    assert_eq!(generator, Xoshiro128PlusPlus::seed_from_u64(1));
}

#[test]
fn a_length_that_no_memory_has_is_refused() {
    for n in [1, 1 << 32, u64::MAX / 4, u64::MAX / 8 + 1, u64::MAX] {
        let mut records = head("adam", 2, n);
        records.extend([0; 8]);
        let mut state = StateVec::<Adam>::new(1);
        assert!(matches!(store::load(&mut state, &framed(&records)), Err(Error::Length { .. })), "{n}");
        let mut column = vec![1.0_f32];
        assert!(matches!(store::load(&mut column, &framed(&head("f32", 1, n))), Err(Error::Length { .. })));
        assert_eq!((state, column), (StateVec::new(1), vec![1.0]));
    }
}

#[test]
fn all_forms_of_a_state_make_one_file() {
    let mut state = LionState::<5>::new();
    Lion::new(0.1).step(&mut [0.0; 5], &[1.0, 2.0, 3.0, 4.0, 5.0], &mut state);
    let file = store::to_vec(&state).unwrap();
    let mut vec = StateVec::<Lion>::new(0);
    store::load(&mut vec, &file).unwrap();
    assert_eq!(store::to_vec(&vec).unwrap(), file);
    let mut view = StateVec::<Lion>::new(5);
    store::load(view.as_mut(), &file).unwrap();
    assert_eq!(store::to_vec(view.as_mut()).unwrap(), file);
    assert_eq!(view, vec);
    assert!(store::load(StateVec::<Lion>::new(4).as_mut(), &file).is_err());
}

#[test]
fn layers_of_a_model_are_a_list() {
    let mut layers: Vec<_> = [3, 1, 4].map(StateVec::<Momentum>::new).into();
    layers[1].columns_mut()[0][0] = 5.0;
    let file = store::to_vec(&layers[..]).unwrap();
    let mut loaded: Vec<_> = [0, 0, 0].map(StateVec::<Momentum>::new).into();
    store::load(&mut loaded[..], &file).unwrap();
    assert_eq!(loaded, layers);
    assert!(store::load(&mut loaded[..2], &file).is_err());
}

#[test]
fn what_cannot_be_saved_leaves_the_buffer_alone() {
    let (mut m, mut v, mut clock) = ([0.0; 3], [0.0; 2], Clock::new());
    let mut buffer = [7; 200];
    let crooked = StateMut::<Adam>::new([&mut m, &mut v], &mut clock);
    assert_eq!(store::save(&crooked, &mut buffer), Err(Error::Elements { expected: 3, found: 2 }));
    let file = store::to_vec(AdamState::<3>::new()).unwrap();
    let mut crooked = crooked;
    assert_eq!(store::load(&mut crooked, &file), Err(Error::Elements { expected: 3, found: 2 }));
    let state = AdamState::<3>::new();
    assert_eq!(store::file_size(&state), 80);
    for n in 0..80 {
        let short = Error::Length { expected: 80, found: n as u64 };
        assert_eq!(store::save(&state, &mut buffer[..n]), Err(short));
    }
    assert_eq!(buffer, [7; 200]);
    assert_eq!(store::save(&state, &mut buffer).map(<[u8]>::len), Ok(80));
    assert_eq!(buffer[80..], [7; 120]);
}

#[test]
fn the_size_is_known_to_the_compiler() {
    const SIZE: usize = store::file_size_of::<([f32; 4], NadamState<4>, Xoshiro128PlusPlus, u32, Clock)>();
    let generator = Xoshiro128PlusPlus::seed_from_u64(1);
    assert_eq!(
        store::file_size(([0.0_f32; 4], NadamState::<4>::new(), &generator, 1_u32, Clock::new())),
        SIZE
    );
    assert_eq!(store::file_size_of::<SgdState<9>>(), store::file_size(SgdState::<9>::new()));
}

/// Loads bytes into one value: refused, or saved again to the same bytes.
fn same_or_refused<T: Save + Load>(mut value: T, file: &[u8]) -> bool {
    let before = store::to_vec(&value).unwrap();
    let loaded = store::load(&mut value, file).is_ok();
    assert_eq!(store::to_vec(&value).unwrap(), if loaded { file } else { &before });
    loaded
}

fn all_refuse_or_keep(file: &[u8]) -> bool {
    let generator = Xoshiro128PlusPlus::seed_from_u64(3);
    same_or_refused(StateVec::<Adam>::new(1), file)
        | same_or_refused(StateVec::<Sgd>::new(0), file)
        | same_or_refused(SgdState::<2>::new(), file)
        | same_or_refused(MomentumState::<2>::new(), file)
        | same_or_refused(vec![1.0_f32], file)
        | same_or_refused(vec![1.0_f64], file)
        | same_or_refused(ensemble::Ensemble::<2, 2>::new(), file)
        | same_or_refused(ensemble::EnsembleVec::new(), file)
        | same_or_refused((generator, 1_u32, Clock::new()), file)
}

proptest! {
    #[test]
    fn any_bytes_are_refused_or_kept(file: Vec<u8>) {
        assert!(!all_refuse_or_keep(&file));
    }

    #[test]
    fn any_records_are_refused_or_kept(records: Vec<u8>) {
        all_refuse_or_keep(&framed(&records));
    }

    /// Heads that are nearly right, and data of about the size that they ask for.
    #[test]
    fn any_head_is_refused_or_kept(
        name in prop::sample::select(vec!["adam", "sgd", "momentum", "f32", "f64", "ensemble"]),
        columns in 0..3_u32,
        length in 0..4_u64,
        seed: [u8; 48],
        longer in prop::sample::select(vec![0, 0, 0, 1, 4]),
    ) {
        let size = if name == "f64" { 8 } else { 4 };
        let clock = if ["f32", "f64", "ensemble"].contains(&name) { 0 } else { 8 };
        let data = clock + size * u64::from(columns) * length + longer;
        let mut records = head(name, columns, length);
        records.extend(seed.iter().cycle().take(data as usize));
        let loaded = all_refuse_or_keep(&framed(&records));
        let known = match name {
            "adam" => columns == 2,
            "sgd" => columns == 0 && length == 0,
            "momentum" => columns == 1 && length == 2,
            "ensemble" => (columns == 0) == (length == 0),
            _ => columns == 1,
        };
        assert_eq!(loaded, known && longer == 0);
    }

    #[test]
    fn any_values_come_back(seed: u32, t: u32, carry: u32, bits: Vec<u32>) {
        let column: Vec<_> = bits.into_iter().map(f32::from_bits).collect();
        let clock = Clock { t, carry: f32::from_bits(carry) };
        let generator = Xoshiro128PlusPlus::seed_from_u64(seed.into());
        assert!(same_or_refused(vec![0.5_f32], &store::to_vec(&column).unwrap()));
        let file = store::to_vec((generator, seed, clock)).unwrap();
        assert!(all_refuse_or_keep(&file));
    }
}
