//! What a state in bf16 would be without a dither: each number rounded to the nearest after its step.

use gradus::*;

/// An optimizer whose state stands in `f32`, with the digits of a bf16.
#[derive(Clone, Copy)]
pub struct Nearest<O>(pub O);

impl<O: Optimizer> Optimizer for Nearest<O> {
    type Family = O::Family;
    type Rule = Nearest<O::Rule>;

    fn rule(&self, clock: &mut Clock) -> Self::Rule {
        Nearest(self.0.rule(clock))
    }
    fn lr(&self) -> f32 {
        self.0.lr()
    }
    fn with_lr(self, lr: f32) -> Self {
        Self(self.0.with_lr(lr))
    }
    fn check(&self) -> Result<(), Error> {
        self.0.check()
    }
}

impl<R: Rule> Rule for Nearest<R> {
    type Columns = R::Columns;

    #[inline(always)]
    fn apply<V: Vector>(
        &self,
        isa: V::Isa,
        x: V,
        read: [V; 1],
        state: Of<R::Columns, V>,
    ) -> (V, Of<R::Columns, V>) {
        let (x, mut state) = self.0.apply(isa, x, read, state);
        let (half, upper) =
            (V::splat(isa, f32::from_bits(0x8000)), V::splat(isa, f32::from_bits(0xFFFF_0000)));
        for column in state.as_mut() {
            *column = column.add_bits(half).and_bits(upper);
        }
        (x, state)
    }
}
