/// A state without columns, of plain descent, was saved from C and could not be loaded again.
#[cfg(feature = "ffi")]
#[test]
fn a_clock_alone_is_loaded_from_c() {
    use gradus::ffi::*;
    let (mut clock, mut size, mut file) = (gradus::Clock { t: 5, carry: 0.0 }, 0, [0_u8; 100]);
    let clock_at = &raw mut clock;
    let item = gradus_item { kind: GRADUS_ITEM_SGD, n: 3, data: core::ptr::null_mut(), clock: clock_at };
    // SAFETY: all pointers are those of live values, or null where nothing is kept.
    unsafe {
        assert_eq!(gradus_save(&item, 1, file.as_mut_ptr(), file.len(), &mut size), gradus_status::GRADUS_OK);
        (*clock_at).t = 0;
        assert_eq!(gradus_load(&item, 1, file.as_ptr(), size), gradus_status::GRADUS_OK);
    }
    assert_eq!(clock.t, 5);
}

/// JSON has no number for infinity, which stands for no limit: it was written as null and not read again.
#[cfg(feature = "serde")]
#[test]
fn limits_of_infinity_pass_through_json() {
    use gradus::transform::{ClampParams, ClipNorm, ClipValue, MaxNorm};
    fn passes<T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug>(value: T) {
        let text = serde_json::to_string(&value).unwrap();
        assert_eq!(serde_json::from_str::<T>(&text).unwrap(), value, "{text}");
    }
    for limit in [f32::INFINITY, 0.5] {
        passes(ClipValue(limit));
        passes(ClampParams(limit));
        passes(ClipNorm { max_norm: limit });
        passes(MaxNorm { row: 3, limit });
    }
    assert_eq!(serde_json::to_string(&ClipValue(0.5)).unwrap(), "0.5");
}

/// The same for reports: value and gradient are infinite until the first evaluation.
#[cfg(feature = "serde")]
#[test]
fn reports_pass_through_json() {
    use gradus::second_order::{Lbfgs, LbfgsSettings, Newton, NewtonSettings, Report, Stop};
    let pass = |report: Report<f64>| {
        let text = serde_json::to_string(&report).unwrap();
        serde_json::from_str::<Report<f64>>(&text).unwrap()
    };
    let (mut lbfgs, mut newton) = (Lbfgs::<1, 1, f64>::new(), Newton::<1, f64>::new());
    lbfgs.start(&LbfgsSettings::new(), &[3.0]).unwrap();
    newton.start(&NewtonSettings::new(), &[3.0]).unwrap();
    for report in [lbfgs.report(), newton.report()] {
        assert_eq!((report.value, report.gradient), (f64::INFINITY, f64::INFINITY));
        assert_eq!(pass(report), report);
    }
    let report =
        Report { value: -0.1, gradient: 1e-300, iterations: 3, evaluations: 4, stop: Stop::Gradient };
    assert_eq!(pass(report), report);
    // What JSON has no word for.
    assert_eq!(pass(Report { value: f64::NAN, ..report }), Report { value: f64::INFINITY, ..report });
}

/// A file that changed before it was read again asked for four thousand million members, 24 bytes of heap for each.
#[test]
fn a_file_that_changes_takes_no_more_memory_than_it_has() {
    use gradus::ensemble::EnsembleVec;
    use gradus::store::{self, StreamError};
    let mut models = EnsembleVec::new();
    models.push(&[1.0, 2.0]).unwrap();
    let file = store::to_vec(&models).unwrap();
    // The header has 16 bytes, the name too: the number of members, and then that of parameters.
    for (columns, length) in [(1000_u32, 2_u64), (1000, 0), (1000, 1), (2, u64::MAX)] {
        let (mut loaded, mut reads) = (EnsembleVec::new(), 0);
        let result = store::load_from(&mut loaded, file.len() as u64, |at, piece| {
            let mut file = file.clone();
            if reads > 0 {
                file[32..36].copy_from_slice(&columns.to_le_bytes());
                file[36..44].copy_from_slice(&length.to_le_bytes());
            }
            reads += 1;
            piece.copy_from_slice(&file[at as usize..][..piece.len()]);
            Ok::<_, ()>(())
        });
        assert_eq!(result, Err(StreamError::Torn), "{columns} {length}");
        assert!(loaded.members().len() <= 2, "{columns} {length}: {}", loaded.members().len());
        assert!(loaded.members().iter().all(|member| member.len() as u64 == length));
    }
}

/// A source that failed at its second piece was asked for 2^60 bytes of zeros more, as if it had given them.
#[test]
fn a_source_that_has_failed_ends_the_file() {
    use gradus::store::{self, Error, StreamError};
    let size = 1_u64 << 60;
    let mut file = store::to_vec(vec![1.0_f32; 100]).unwrap();
    file[8..16].copy_from_slice(&size.to_le_bytes());
    let mut calls = 0;
    let mut source = |at: u64, piece: &mut [u8]| {
        calls += 1;
        piece.copy_from_slice(&file[..piece.len()]);
        if at == 0 { Ok(()) } else { Err("unplugged") }
    };
    // What the values hold does not matter: not the length from the file, nor that of the caller.
    let mut values = (vec![0.0_f32; 3], [0.0_f32; 3]);
    for result in [
        store::load_from(&mut values.0, size, &mut source),
        store::load_from(&mut values.1, size, &mut source),
        store::load_from((&mut values.0, &mut values.1), size, &mut source),
    ] {
        assert_eq!(result, Err(StreamError::Stream("unplugged")));
    }
    assert_eq!((calls, values), (6, (vec![0.0; 3], [0.0; 3])));
    // A length that is claimed is refused where no memory can hold it, whatever the file is said to have.
    file[36..44].copy_from_slice(&(1_u64 << 61).to_le_bytes());
    file.truncate(64);
    file[8..16].copy_from_slice(&64_u64.to_le_bytes());
    let sum = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(&file[..60]);
    file[60..].copy_from_slice(&sum.to_le_bytes());
    let most = isize::MAX as u64;
    let refused = Err(Error::Length { expected: 1 << 63, found: most });
    assert_eq!(store::load(&mut vec![0.0_f32; 3], &file), refused);
}

#[cfg(feature = "ffi")]
#[test]
fn a_source_that_has_failed_ends_the_file_in_c() {
    use core::ffi::c_void;
    use gradus::ffi::*;
    unsafe extern "C" fn source(context: *mut c_void, at: usize, bytes: *mut u8, n: usize) -> i32 {
        let head = [&b"gradus\x01\0"[..], &(1_u64 << 60).to_le_bytes()].concat();
        // SAFETY: the test gives a counter, the library `n` bytes.
        unsafe {
            *context.cast::<u32>() += 1;
            bytes.write_bytes(0, n);
            core::slice::from_raw_parts_mut(bytes, n)[..16].copy_from_slice(&head);
        }
        i32::from(at > 0)
    }
    let (mut calls, mut x) = (0_u32, [1.0_f32; 3]);
    let data = x.as_mut_ptr().cast();
    let item = gradus_item { kind: GRADUS_ITEM_FLOATS, n: 3, data, clock: core::ptr::null_mut() };
    // SAFETY: all pointers are those of live values, or null where nothing is kept.
    let result = unsafe { gradus_load_from(&item, 1, 1 << 60, Some(source), (&raw mut calls).cast()) };
    assert_eq!((result, calls, x), (gradus_status::GRADUS_ERROR_CALLBACK, 2, [1.0; 3]));
}
