//! What all optimizers share: the stabiliser, the clock, the checks of a step, lists of tensors. Their structures and
//! functions are in rules.rs, which is made from the list of optimizers.

use super::Refusal::{self, *};
use super::memory::{Memory, Region, apart};
use super::transform::Transforms;
use super::{gradus_transforms, same_version};
use crate::optim::{Clock, Columns, Epsilon, Memory as MemoryOf, Optimizer, Stateful, With};
use crate::simd::{AtStep as _, Bf16, ColumnSet, Exec, Stored, count_overflowing};
use crate::transform::Transform;

/// Place of the stabiliser: `sqrt(v / c2) + eps`, as in PyTorch; c2 is the bias correction, 1 where a rule has none.
pub const GRADUS_EPSILON_OUTSIDE: u32 = 0;
/// Place of the stabiliser: `(sqrt(v) + eps) / sqrt(c2)`, as in Keras' Adam.
pub const GRADUS_EPSILON_HAT: u32 = 1;
/// Place of the stabiliser: `sqrt(v / c2 + inside) + eps`, as in Keras' RMSProp.
pub const GRADUS_EPSILON_ROOT: u32 = 2;

/// Place and size of the stabiliser in the denominator of an adaptive rule.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gradus_epsilon {
    /// GRADUS_EPSILON_OUTSIDE, GRADUS_EPSILON_HAT or GRADUS_EPSILON_ROOT.
    pub place: u32,
    /// Added outside of the root.
    pub eps: f32,
    /// Added under the root; for GRADUS_EPSILON_ROOT alone.
    pub inside: f32,
}

impl gradus_epsilon {
    pub(super) fn build(self) -> Result<Epsilon, Refusal> {
        match self.place {
            GRADUS_EPSILON_OUTSIDE => Ok(Epsilon::Outside(self.eps)),
            GRADUS_EPSILON_HAT => Ok(Epsilon::Hat(self.eps)),
            GRADUS_EPSILON_ROOT => Ok(Epsilon::Root { inside: self.inside, outside: self.eps }),
            _ => Err(GRADUS_ERROR_ENUM),
        }
    }
}

/// One tensor of a model, for the calls on lists: what a step takes, and transforms of its own.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gradus_tensor {
    /// How many parameters it has.
    pub n: usize,
    /// The parameters.
    pub params: *mut f32,
    /// Their gradients.
    pub grads: *const f32,
    /// The columns of state, one after the other.
    pub state: *mut f32,
    /// A clock of its own, for a call without a common one.
    pub clock: *mut Clock,
    /// What acts before and after the rule, on this tensor alone; null for nothing. Tensors may share it.
    pub transforms: *const gradus_transforms,
}

/// gradus_tensor with a state in half the memory, and otherwise the same.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gradus_half_tensor {
    /// How many parameters it has.
    pub n: usize,
    /// The parameters.
    pub params: *mut f32,
    /// Their gradients.
    pub grads: *const f32,
    /// The columns of state, one after the other, bfloat16.
    pub state: *mut u16,
    /// A clock of its own, for a call without a common one.
    pub clock: *mut Clock,
    /// What acts before and after the rule, on this tensor alone; null for nothing. Tensors may share it.
    pub transforms: *const gradus_transforms,
}

const _: () = assert!(size_of::<gradus_tensor>() == size_of::<gradus_half_tensor>());

/// A configuration in C: its version comes first, and the rest makes the optimizer.
///
/// # Safety
/// The structure begins with a `u32`, the version.
pub(crate) unsafe trait Config: Copy {
    /// What it configures.
    type Optimizer: Optimizer<Family: Stateful<Memory = f32>>;
    /// The optimizer, if every enumeration has a value of its own.
    fn build(&self) -> Result<Self::Optimizer, Refusal>;
}

/// The pointers of a step.
#[derive(Clone, Copy)]
pub(crate) struct Pointers<M = f32> {
    pub n: usize,
    pub params: *mut f32,
    pub grads: *const f32,
    pub state: *mut M,
    pub clock: *mut Clock,
}

impl<M: Stored> Pointers<M> {
    /// What the step touches. Too long a state is too many parameters, too.
    #[inline(always)]
    fn regions(&self, columns: usize) -> [Region; 4] {
        [
            Region::written(self.params, self.n),
            Region::read(self.grads, self.n),
            Region::written(self.state, self.n.wrapping_mul(columns)),
            Region::written(self.clock, 1),
        ]
    }

    /// Checks all pointers, also against the configuration, which the step only reads.
    #[inline(always)]
    fn check<C: Config>(&self, config: *const C) -> Result<(), Refusal> {
        let [params, grads, state, clock] = self.regions(Columns::<C::Optimizer>::COUNT);
        apart([Region::read(config, 1), params, grads, state, clock])
    }

    /// The same, and against one more piece of memory.
    #[inline(always)]
    fn check_with<C: Config>(&self, config: *const C, more: Region) -> Result<(), Refusal> {
        let [params, grads, state, clock] = self.regions(Columns::<C::Optimizer>::COUNT);
        apart([Region::read(config, 1), params, grads, state, clock, more])
    }

    /// The pass over all of them.
    ///
    /// # Safety
    /// The pointers are checked, and the caller vouches for the memory.
    #[inline(always)]
    unsafe fn pass<'a, C: ColumnSet>(&self) -> C::Pass<'a, M> {
        // SAFETY: checked, and apart; the caller vouches for the memory.
        unsafe { C::pass_columns(self.n, self.params, self.grads, self.state) }
    }
}

/// The optimizer of a configuration.
///
/// # Safety
/// The pointer is checked.
#[inline(always)]
pub(super) unsafe fn optimizer<C: Config>(config: *const C) -> Result<C::Optimizer, Refusal> {
    // SAFETY: checked for null and alignment; C begins with its version.
    unsafe {
        same_version(*config.cast())?;
        (*config).build()
    }
}

/// The transforms of the caller.
///
/// # Safety
/// The pointer is checked.
#[inline(always)]
pub(super) unsafe fn transforms(of: *const gradus_transforms) -> Result<Transforms, Refusal> {
    // SAFETY: checked for null and alignment.
    unsafe {
        same_version((*of).version)?;
        (*of).build()
    }
}

/// One step, its pointers checked.
///
/// # Safety
/// The pointers are checked, and the caller vouches for the memory.
#[inline(always)]
unsafe fn run<O: Optimizer>(optimizer: &O, pointers: &Pointers<MemoryOf<O>>) {
    // SAFETY: as above.
    let (pass, clock) = unsafe { (pointers.pass::<Columns<O>>(), &mut *pointers.clock) };
    let rule = optimizer.rule(clock.tick());
    Columns::<O>::run(Exec::new(), &rule, pass.at_step(clock.t, 0));
}

/// A step without transforms.
///
/// # Safety
/// The pointers point at as much memory as the header says.
#[inline(always)]
pub(crate) unsafe fn step<C: Config>(config: *const C, pointers: &Pointers) -> Result<(), Refusal> {
    pointers.check(config)?;
    // SAFETY: checked; the caller vouches for the memory.
    unsafe { run(&optimizer(config)?, pointers) };
    Ok(())
}

/// A step with transforms.
///
/// # Safety
/// The pointers point at as much memory as the header says.
#[inline(always)]
pub(crate) unsafe fn step_with<C: Config>(
    config: *const C,
    of: *const gradus_transforms,
    pointers: &Pointers,
) -> Result<(), Refusal> {
    pointers.check_with(config, Region::read(of, 1))?;
    // SAFETY: checked; the caller vouches for the memory.
    unsafe { run(&optimizer(config)?.with(transforms(of)?), pointers) };
    Ok(())
}

/// A step of a state in half the memory.
///
/// # Safety
/// The pointers point at as much memory as the header says.
#[inline(always)]
pub(crate) unsafe fn half_step<C: Config>(
    config: *const C,
    pointers: &Pointers<Bf16>,
) -> Result<(), Refusal> {
    pointers.check(config)?;
    // SAFETY: checked; the caller vouches for the memory.
    unsafe { run(&optimizer(config)?.half(), pointers) };
    Ok(())
}

/// The same with transforms.
///
/// # Safety
/// The pointers point at as much memory as the header says.
#[inline(always)]
pub(crate) unsafe fn half_step_with<C: Config>(
    config: *const C,
    of: *const gradus_transforms,
    pointers: &Pointers<Bf16>,
) -> Result<(), Refusal> {
    pointers.check_with(config, Region::read(of, 1))?;
    // SAFETY: checked; the caller vouches for the memory.
    unsafe { run(&optimizer(config)?.half().with(transforms(of)?), pointers) };
    Ok(())
}

/// Counts the gradients that are not finite, nor their squares where the rule forms them: whether the step is to be taken.
///
/// # Safety
/// The pointers point at as much memory as the header says.
#[inline(always)]
pub(crate) unsafe fn all_finite<C: Config>(
    config: *const C,
    pointers: &Pointers,
    count: *mut usize,
) -> Result<bool, Refusal> {
    pointers.check_with(config, Region::written(count, 1))?;
    // SAFETY: checked; the caller vouches for the memory.
    unsafe {
        let optimizer = optimizer(config)?;
        let (n, mut ahead) = (pointers.n, *pointers.clock); // a step that is skipped moves no clock
        let (params, grads) = (Memory::new(pointers.params, n)?, Memory::new(pointers.grads, n)?);
        let rule = optimizer.rule(ahead.tick());
        let found = count_overflowing(Exec::new(), &rule, params.slice(), grads.slice());
        *count = found;
        Ok(found == 0)
    }
}

/// The tensors of a list, checked: each apart from every other and from what the call shares.
///
/// # Safety
/// The list lies in memory that nothing writes during the call.
#[inline(never)]
unsafe fn tensors<'a, M: Stored>(
    list: *const gradus_tensor,
    count: usize,
    columns: usize,
    config: Region,
    clock: *mut Clock,
) -> Result<&'a [gradus_tensor], Refusal> {
    let memory = Memory::new(list, count)?;
    let shared = Region::written(clock, usize::from(!clock.is_null()));
    apart([memory.read(), shared, config])?;
    // SAFETY: checked; the caller vouches for the memory.
    let tensors = unsafe { memory.slice() };
    for (i, tensor) in tensors.iter().enumerate() {
        let [params, grads, state, own, transform] = tensor.regions::<M>(columns, clock);
        apart([params, grads, state, own, transform, memory.read(), shared, config])?;
        if !tensor.transforms.is_null() {
            // SAFETY: checked; the caller vouches for the memory.
            unsafe { transforms(tensor.transforms)? };
        }
        for other in tensors.iter().take(i) {
            // What one only reads, the other may read too: two comparisons, each with one side to write.
            let [p, g, s, o, t] = other.regions::<M>(columns, clock);
            apart([params, state, own, p, g, s, o, t])?;
            apart([p, s, o, grads, transform])?;
        }
    }
    Ok(tensors)
}

impl gradus_tensor {
    /// Its pointers, to a state of `M`, with the common clock if there is one.
    fn pointers<M>(&self, clock: *mut Clock) -> Pointers<M> {
        let &Self { n, params, grads, state, clock: own, .. } = self;
        Pointers { n, params, grads, state: state.cast(), clock: if clock.is_null() { own } else { clock } }
    }

    /// What a step touches of it; its own clock if it counts by that.
    fn regions<M: Stored>(&self, columns: usize, clock: *mut Clock) -> [Region; 5] {
        let [params, grads, state, own] = self.pointers::<M>(clock).regions(columns);
        let own = if clock.is_null() { own } else { Region::NONE };
        [params, grads, state, own, Region::read(self.transforms, usize::from(!self.transforms.is_null()))]
    }
}

/// A step of many tensors with states of `M`, by one clock or by a clock each.
///
/// # Safety
/// The pointers point at as much memory as the header says.
#[inline(always)]
pub(crate) unsafe fn step_tensors<C: Config, M: Stored>(
    config: *const C,
    list: *const gradus_tensor,
    count: usize,
    clock: *mut Clock,
) -> Result<(), Refusal> {
    apart([Region::read(config, 1)])?;
    // SAFETY: all pointers are checked; the caller vouches for the memory.
    unsafe {
        let optimizer = optimizer(config)?;
        let columns = Columns::<C::Optimizer>::COUNT;
        let list = tensors::<M>(list, count, columns, Region::read(config, 1), clock)?;
        let common = if clock.is_null() { None } else { Some(optimizer.rule((*clock).tick())) };
        for tensor in list {
            let pointers = tensor.pointers::<M>(clock);
            let rule = match common {
                Some(rule) => rule,
                None => optimizer.rule((*pointers.clock).tick()),
            };
            let transform = if tensor.transforms.is_null() {
                Transforms::default()
            } else {
                transforms(tensor.transforms)?
            };
            let rule = With { inner: rule, transform: transform.at(optimizer.lr()) };
            let pass = pointers.pass::<Columns<C::Optimizer>>().at_step((*pointers.clock).t, 0);
            Columns::<C::Optimizer>::run(Exec::new(), &rule, pass);
        }
    }
    Ok(())
}

/// Whether every hyper-parameter is in its range.
///
/// # Safety
/// The pointer is null, misaligned or good.
#[inline(always)]
pub(crate) unsafe fn check<C: Config>(config: *const C) -> Result<(), Refusal> {
    apart([Region::read(config, 1)])?;
    // SAFETY: checked; the caller vouches for the memory.
    Ok(unsafe { optimizer(config)? }.check()?)
}

/// The same, and every transform.
///
/// # Safety
/// The pointers are null, misaligned or good.
#[inline(always)]
pub(crate) unsafe fn check_with<C: Config>(
    config: *const C,
    of: *const gradus_transforms,
) -> Result<(), Refusal> {
    apart([Region::read(config, 1), Region::read(of, 1)])?;
    // SAFETY: checked; the caller vouches for the memory.
    let (optimizer, transforms) = unsafe { (optimizer(config)?, transforms(of)?) };
    optimizer.check()?;
    Ok(transforms.check(optimizer.lr())?)
}
