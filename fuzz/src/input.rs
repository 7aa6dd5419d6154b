//! Numbers that nobody likes, and memory at every offset.

use arbitrary::{Arbitrary, Result, Unstructured};

/// A number type with values that are worth more than others.
pub trait Number: crate::Bits + Default + for<'a> Arbitrary<'a> + 'static {
    const SPECIAL: &[Self];
    fn small(x: i16) -> Self;
}

macro_rules! number {
    ($t:ident) => {
        impl Number for $t {
            const SPECIAL: &[Self] = &[
                0.0,
                -0.0,
                1.0,
                -1.0,
                $t::NAN,
                -$t::NAN,
                $t::INFINITY,
                $t::NEG_INFINITY,
                $t::MAX,
                $t::MIN,
                $t::MIN_POSITIVE,
                -$t::MIN_POSITIVE,
                $t::MIN_POSITIVE / 2.0,
                $t::EPSILON,
                1.0 - $t::EPSILON / 2.0,
                $t::from_bits(1),
                -$t::from_bits(1),
                1e-21,
                1e19,
                -1e19,
            ];
            fn small(x: i16) -> Self {
                $t::from(x) / 256.0
            }
        }
    };
}

number!(f32);
number!(f64);

/// One number: of the list, of a size that training sees, or of any bits.
pub fn number<T: Number>(u: &mut Unstructured) -> Result<T> {
    Ok(match u.int_in_range(0..=3)? {
        0 => *u.choose(T::SPECIAL)?,
        1 => T::small(u.arbitrary()?),
        _ => u.arbitrary()?,
    })
}

/// A finite number of moderate size: `m * 2^e` with 16-bit `m` and `e` in -24..=8.
pub fn moderate(u: &mut Unstructured) -> Result<f32> {
    let m: i16 = u.arbitrary()?;
    Ok(f32::from(m) / 256.0 * f32::powi(2.0, u.int_in_range(-16..=8)?))
}

/// `n` numbers out of few bytes: a pool of them, repeated with a stride.
pub fn column<T: Copy>(
    u: &mut Unstructured,
    n: usize,
    draw: impl Fn(&mut Unstructured) -> Result<T>,
) -> Result<Vec<T>> {
    let pool = (0..u.int_in_range(1..=24)?).map(|_| draw(u)).collect::<Result<Vec<T>>>()?;
    let stride = u.int_in_range(1..=7_usize)?;
    Ok((0..n).map(|i| pool[(i * stride + i / 16) % pool.len()]).collect())
}

/// A length: mostly around the widths of registers, sometimes long enough for every path.
pub fn length(u: &mut Unstructured) -> Result<usize> {
    Ok(match u.int_in_range(0..=7)? {
        0 => u.int_in_range(0..=700)?,
        1 => u.int_in_range(250..=290)?,
        _ => u.int_in_range(0..=67)?,
    })
}

/// Values at an offset into an allocation that ends with them: the sanitizer sees a write past the
/// end, [`Placed::check`] sees one before the start.
pub struct Placed<T> {
    memory: Vec<T>,
    offset: usize,
}

impl<T: Number> Placed<T> {
    pub fn new(values: &[T], offset: usize) -> Self {
        let mut memory = Vec::with_capacity(offset + values.len());
        memory.resize(offset, T::small(77));
        memory.extend_from_slice(values);
        Self { memory: memory.into_boxed_slice().into_vec(), offset }
    }

    pub fn slice(&self) -> &[T] {
        &self.memory[self.offset..]
    }

    pub fn slice_mut(&mut self) -> &mut [T] {
        &mut self.memory[self.offset..]
    }

    #[track_caller]
    pub fn check(&self, want: &[T], what: impl core::fmt::Display) {
        assert!(
            self.memory[..self.offset].iter().all(|x| x.bits() == T::small(77).bits()),
            "{what}: before the slice"
        );
        crate::same(self.slice(), want, what);
    }
}
