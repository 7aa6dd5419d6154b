//! Layers from C with pointers that point anywhere: dropout and its relatives, batch normalisation, penalties.

use crate::ffi::{Arena, Place, judge, version};
use crate::input::number;
use arbitrary::{Result, Unstructured};
use gradus::ffi::gradus_status::*;
use gradus::ffi::*;
use gradus::noise::{DropConnect, Dropout, Masks, mask_words};
use gradus::norm::{BatchNorm, BatchShape, Params, Running, Statistics};
use gradus::transform::{ElasticNet, L1, L2};
use gradus::{Clock, Error, StateMut};

pub(crate) fn calls(u: &mut Unstructured) -> Result<()> {
    match u.int_in_range(0..=4)? {
        0 => dropout(u),
        1 => dropconnect(u),
        2 => monte_carlo(u),
        3 => batch_norm(u),
        _ => penalties(u),
    }
}

/// One call of C and the same in Rust, over pieces of an arena.
pub(crate) struct Beside {
    arena: Arena,
    /// The pieces of the call, and whether it writes them.
    pub pieces: Vec<(Place, bool)>,
    /// Where the last of those ends that lie in a row.
    pub end: usize,
    /// What else may be wrong with it.
    pub reasons: Vec<(bool, gradus_status)>,
}

impl Beside {
    pub fn new(u: &mut Unstructured, version: u32, config: bool) -> Result<Self> {
        let reasons = vec![(version != GRADUS_STRUCTS, GRADUS_ERROR_VERSION), (!config, GRADUS_ERROR_NULL)];
        Ok(Self { arena: Arena::new(u)?, pieces: Vec::new(), end: 0, reasons })
    }

    /// A piece of `n` numbers of 32 bits that the call reads: mostly behind the others, so that calls succeed.
    pub fn read(&mut self, u: &mut Unstructured, n: usize) -> Result<Place> {
        let place =
            if u.ratio(1, 24)? { Place::new(u, 4 * n)? } else { Place::next(&mut self.end, 4 * n, 4) };
        self.pieces.push((place, false));
        Ok(place)
    }

    /// A piece of `n` numbers of 32 bits that the call writes.
    pub fn written(&mut self, u: &mut Unstructured, n: usize) -> Result<Place> {
        let place = self.read(u, n)?;
        self.pieces.last_mut().expect("a piece").1 = true;
        Ok(place)
    }

    /// A length for C in place of the true one: sometimes more than memory can hold.
    pub fn length(&mut self, u: &mut Unstructured, n: usize) -> Result<usize> {
        if !u.ratio(1, 16)? {
            return Ok(n);
        }
        self.reasons
            .extend([GRADUS_ERROR_LENGTH, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT].map(|e| (true, e)));
        Ok(isize::MAX as usize / 4 + u.int_in_range(1..=3)?)
    }

    /// The last piece as numbers of 16 bits: half-aligned for 32 bits is aligned for those, and begins earlier here.
    pub fn of_halves(&mut self) -> Place {
        let (place, _) = self.pieces.last_mut().expect("a piece");
        place.offset = place.offset.map(|offset| if offset % 4 == 2 { offset - 2 } else { offset });
        *place
    }

    /// A piece that the call writes, or a null pointer for none.
    pub fn optional(&mut self, u: &mut Unstructured, n: usize) -> Result<Place> {
        let place = self.written(u, n)?;
        if place.offset.is_none() || u.ratio(1, 4)? {
            self.pieces.pop();
            return Ok(Place::NONE);
        }
        Ok(place)
    }

    /// Calls both: `rust` gets copies of the pieces, in their order.
    pub fn call(
        self,
        c: impl FnOnce(*mut Arena) -> gradus_status,
        rust: impl FnOnce(&mut [Vec<f32>]) -> core::result::Result<(), Error>,
    ) {
        let Self { mut arena, pieces, mut reasons, .. } = self;
        let mut expected = arena.clone();
        let mut copies: Vec<_> = pieces.iter().map(|(place, _)| place.floats(&arena)).collect();
        if let Err(error) = rust(&mut copies) {
            reasons.push((true, refused(error)));
        }
        let meets = |i: usize| {
            let ((a, written), others) = (pieces[i], &pieces[..i]);
            others.iter().any(|(b, also)| (written || *also) && a.overlaps(*b))
        };
        reasons.extend([
            (pieces.iter().any(|(place, _)| place.null()), GRADUS_ERROR_NULL),
            (pieces.iter().any(|(place, _)| place.misaligned()), GRADUS_ERROR_ALIGNMENT),
            ((0..pieces.len()).any(meets), GRADUS_ERROR_OVERLAP),
        ]);
        let status = c(&raw mut arena);
        if judge(status, &reasons) {
            for ((place, _), values) in pieces.iter().zip(&copies).filter(|((_, written), _)| *written) {
                let start = place.offset.unwrap_or(0) / 4;
                expected.0[start..start + values.len()].copy_from_slice(values);
            }
            crate::same(&arena.0, &expected.0, "what C wrote");
        } else {
            assert_eq!(arena.bits(), expected.bits(), "refused, but changed");
        }
    }
}

/// What C returns for an error of Rust.
fn refused(error: Error) -> gradus_status {
    match error {
        Error::Length { .. } => GRADUS_ERROR_LENGTH,
        Error::Empty => GRADUS_ERROR_EMPTY,
        Error::Shape => GRADUS_ERROR_SHAPE,
        // SAFETY: the numbers of hyper-parameters are those of their statuses.
        Error::Range(hyper) => unsafe { core::mem::transmute::<i32, gradus_status>(hyper as i32) },
        error => panic!("{error:?}"),
    }
}

/// The pointer to a configuration, and whether there is one.
pub(crate) fn config<T>(u: &mut Unstructured, config: &T) -> Result<(*const T, bool)> {
    let there = u.ratio(31, 32)?;
    Ok((if there { config } else { core::ptr::null() }, there))
}

fn words(mask: &[f32]) -> Vec<u32> {
    mask.iter().map(|x| x.to_bits()).collect()
}

fn some_dropout(u: &mut Unstructured) -> Result<(gradus_dropout, Dropout)> {
    let (version, keep_prob, inverted) = (version(u)?, number(u)?, u.arbitrary::<bool>()?);
    let config = gradus_dropout { version, keep_prob, vanilla: u32::from(!inverted) };
    Ok((config, Dropout { inverted, ..Dropout::keep_prob(keep_prob) }))
}

fn dropout(u: &mut Unstructured) -> Result<()> {
    let (structure, rust) = some_dropout(u)?;
    let (config, there) = config(u, &structure)?;
    let mut call = Beside::new(u, structure.version, there)?;
    let n = u.int_in_range(0..=20)?;
    let which = u.int_in_range(0..=5)?;
    let len = call.length(u, n)?;
    let x = call.written(u, n)?;
    let second = match which {
        0 | 1 => call.read(u, mask_words(n))?, // a mask
        2 => call.read(u, n)?,                 // the output
        3 | 4 => call.written(u, 32)?,         // a generator
        _ => Place::NONE,
    };
    call.call(
        // SAFETY: every pointer is null or has its length inside the arena.
        |arena| unsafe {
            match which {
                0 => gradus_dropout_forward_mask(config, len, x.at(arena), second.at(arena)),
                1 => gradus_dropout_relu_forward_mask(config, len, x.at(arena), second.at(arena)),
                2 => gradus_dropout_relu_backward(config, len, x.at(arena), second.at(arena)),
                3 => gradus_dropout_forward(config, len, x.at(arena), second.at(arena)),
                4 => gradus_dropout_relu_forward(config, len, x.at(arena), second.at(arena)),
                _ => gradus_dropout_inference(config, len, x.at(arena)),
            }
        },
        |pieces| {
            let (x, rest) = pieces.split_first_mut().expect("a piece");
            match which {
                0 => rust.forward(&mut x[..], &words(&rest[0])[..]),
                1 => rust.relu_forward(&mut x[..], &words(&rest[0])[..]),
                2 => rust.relu_backward(&mut x[..], &rest[0]),
                3 | 4 => {
                    let state = words(&rest[0]);
                    let lane = |k| core::array::from_fn(|i| state[4 * k + i]);
                    let mut masks = Masks::from_state(core::array::from_fn(lane));
                    let done = if which == 3 {
                        rust.forward(&mut x[..], &mut masks)
                    } else {
                        rust.relu_forward(&mut x[..], &mut masks)
                    };
                    rest[0] = masks.state().concat().into_iter().map(f32::from_bits).collect();
                    done
                }
                _ => rust.inference(&mut x[..]),
            }
        },
    );
    Ok(())
}

fn dropconnect(u: &mut Unstructured) -> Result<()> {
    let (structure, rust) = some_dropout(u)?;
    let (rust, (config, there)) = (DropConnect(rust), config(u, &structure)?);
    let mut call = Beside::new(u, structure.version, there)?;
    let (n, outputs) = (u.int_in_range(0..=5)?, u.int_in_range(0..=3)?);
    let which = u.int_in_range(0..=3)?;
    let inputs = call.length(u, n)?;
    // A matrix and two vectors, of which the last is written, and the masks of the rows.
    let sizes = match which {
        1 => [outputs, n, n * outputs],
        2 => [n * outputs, outputs, n],
        _ => [n * outputs, n, outputs],
    };
    let (a, b, c) = (call.read(u, sizes[0])?, call.read(u, sizes[1])?, call.written(u, sizes[2])?);
    let rows = if which == 3 { 0 } else { mask_words(n) * outputs };
    let mask = call.read(u, rows)?;
    // Nothing is as long as nothing times anything.
    if outputs == 0 && inputs != n {
        return Ok(());
    }
    call.call(
        |m| {
            let (a, b, c, mask) = (a.at(m), b.at(m), c.at(m), mask.at(m));
            // SAFETY: every pointer is null or has its length inside the arena.
            unsafe {
                match which {
                    0 => gradus_dropconnect_forward(config, inputs, outputs, a, b, c, mask),
                    1 => gradus_dropconnect_backward_weights(config, inputs, outputs, a, b, c, mask),
                    2 => gradus_dropconnect_backward_input(config, inputs, outputs, a, b, c, mask),
                    _ => gradus_dropconnect_inference(config, inputs, outputs, a, b, c),
                }
            }
        },
        |pieces| {
            let [a, b, c, mask] = pieces else { unreachable!() };
            match which {
                0 => rust.forward(a, b, c, &words(mask)),
                1 => rust.backward_weights(a, b, c, &words(mask)),
                2 => rust.backward_input(a, b, c, &words(mask)),
                _ => rust.inference(a, b, c),
            }
        },
    );
    Ok(())
}

fn monte_carlo(u: &mut Unstructured) -> Result<()> {
    let mut call = Beside::new(u, GRADUS_STRUCTS, true)?;
    let n = u.int_in_range(0..=14)?;
    let len = call.length(u, n)?;
    let (mean, m2) = (call.written(u, n)?, call.written(u, n)?);
    let (count, prediction) = (call.written(u, 1)?, call.read(u, n)?);
    call.call(
        // SAFETY: every pointer is null or has its length inside the arena.
        |m| unsafe { gradus_monte_carlo_add(len, mean.at(m), m2.at(m), count.at(m), prediction.at(m)) },
        |pieces| {
            let [mean, m2, count, prediction] = pieces else { unreachable!() };
            let passes = count[0].to_bits().saturating_add(1);
            for ((mean, m2), y) in mean.iter_mut().zip(m2).zip(prediction) {
                let d = *y - *mean;
                *mean += d / passes as f32;
                *m2 += d * (*y - *mean);
            }
            count[0] = f32::from_bits(passes);
            Ok(())
        },
    );
    Ok(())
}

/// Two columns of running statistics, and the bits of their clock.
fn tracked<'a>(running: &'a [f32], channels: usize, raw: &[f32]) -> Running<'a> {
    let (means, variances) = running.split_at(channels);
    Running::new(means, variances, &Clock { t: raw[0].to_bits(), carry: raw[1] })
}

fn batch_norm(u: &mut Unstructured) -> Result<()> {
    let (version, eps, running_decay) = (version(u)?, number(u)?, number(u)?);
    let track_biased = u.int_in_range(0..=2)?;
    let structure = gradus_batch_norm { version, eps, running_decay, track_biased };
    let rust = BatchNorm { eps, running_decay, track_biased: track_biased != 0, ..BatchNorm::new() };
    let (config, there) = config(u, &structure)?;
    let mut call = Beside::new(u, version, there)?;
    let mut side = || u.int_in_range(0..=3_usize);
    let (batch, channels, spatial) = (side()?, side()?, side()?);
    let shape = BatchShape { batch, channels, spatial };
    let n = if shape.len() > 12 { return Ok(()) } else { shape.len() };
    let which = u.int_in_range(0..=5)?;
    let sides = gradus_batch_shape { batch, channels, spatial };
    let (layout, layout_there) = self::config(u, &sides)?;
    let layout_there = layout_there || which >= 4; // folding has none
    call.reasons.push((!layout_there, GRADUS_ERROR_NULL));
    let k = channels;
    // Lengths of what is read, and of what is written.
    let (read, written): (&[usize], &[usize]) = match which {
        0 => (&[n, k, k], &[n, k, k]),
        1 => (&[k, k], &[2 * k, 2]),
        2 => (&[n, k, k, k], &[n, k, k]),
        3 => (&[k, k, 2 * k, 2], &[n]),
        _ => (&[k, k, 2 * k, 2], &[n, k]),
    };
    let mut p = Vec::new();
    for (n, write) in read.iter().map(|n| (*n, false)).chain(written.iter().map(|n| (*n, true))) {
        p.push(if write { call.written(u, n)? } else { call.read(u, n)? });
    }
    let inputs = batch * spatial; // as many weights as a tensor has numbers
    call.call(
        |m| {
            let q: Vec<*mut f32> = p.iter().map(|p| p.at(m)).collect();
            // SAFETY: every pointer is null or has its length inside the arena.
            unsafe {
                match which {
                    0 => gradus_batch_norm_forward(config, layout, q[0], q[3], q[1], q[2], q[4], q[5]),
                    1 => gradus_batch_norm_track(config, layout, q[0], q[1], q[2], q[3].cast()),
                    2 => gradus_batch_norm_backward(config, layout, q[4], q[0], q[1], q[2], q[3], q[5], q[6]),
                    3 => gradus_batch_norm_inference(config, layout, q[4], q[0], q[1], q[2], q[3].cast()),
                    4 => gradus_batch_norm_fold(config, k, inputs, q[0], q[1], q[2], q[3].cast(), q[4], q[5]),
                    _ => gradus_batch_norm_fold_columns(
                        config,
                        k,
                        inputs,
                        q[0],
                        q[1],
                        q[2],
                        q[3].cast(),
                        q[4],
                        q[5],
                    ),
                }
            }
        },
        |pieces| match pieces {
            [x, weight, bias, y, mean, variance] if which == 0 => {
                rust.forward(shape, x, y, &Params { weight, bias }, &mut Statistics { mean, variance })
            }
            [mean, variance, running, raw] => {
                let mut clock = Clock { t: raw[0].to_bits(), carry: raw[1] };
                let (means, variances) = running.split_at_mut(k);
                rust.track(
                    shape,
                    &Statistics { mean, variance },
                    StateMut::new([means, variances], &mut clock),
                )?;
                *raw = vec![f32::from_bits(clock.t), clock.carry];
                Ok(())
            }
            [x, weight, mean, variance, grads, grad_weight, grad_bias] => {
                let params = Params { weight: &*weight, bias: weight };
                let mut grad_params = Params { weight: grad_weight, bias: grad_bias };
                rust.backward(shape, grads, x, &params, &Statistics { mean, variance }, &mut grad_params)
            }
            [weight, bias, running, raw, x] => {
                rust.inference(shape, x, &Params { weight, bias }, tracked(running, k, raw))
            }
            [weight, bias, running, raw, weights, shift] => {
                let fold = if which == 4 { BatchNorm::fold } else { BatchNorm::fold_columns };
                fold(&rust, &Params { weight, bias }, tracked(running, k, raw), weights, shift)
            }
            _ => unreachable!(),
        },
    );
    Ok(())
}

fn penalties(u: &mut Unstructured) -> Result<()> {
    let (lambda, beta) = (number(u)?, number(u)?);
    let mut call = Beside::new(u, GRADUS_STRUCTS, true)?;
    let n = u.int_in_range(0..=20)?;
    let len = call.length(u, n)?;
    let (weights, value) = (call.read(u, n)?, call.written(u, 1)?);
    let which = u.int_in_range(0..=2)?;
    call.call(
        // SAFETY: every pointer is null or has its length inside the arena.
        |m| unsafe {
            match which {
                0 => gradus_l1_value(lambda, len, weights.at(m), value.at(m)),
                1 => gradus_l2_value(lambda, len, weights.at(m), value.at(m)),
                _ => gradus_elastic_net_value(lambda, beta, len, weights.at(m), value.at(m)),
            }
        },
        |pieces| {
            pieces[1][0] = match which {
                0 => L1::new(lambda).value(gradus::Level::detect(), &pieces[0]),
                1 => L2::new(lambda).value(gradus::Level::detect(), &pieces[0]),
                _ => ElasticNet { lambda, beta }.value(gradus::Level::detect(), &pieces[0]),
            };
            Ok(())
        },
    );
    Ok(())
}
