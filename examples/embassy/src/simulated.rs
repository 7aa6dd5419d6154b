//! A sensor and a flash that are not there, and a run whose power is cut again and again: for a computer and an emulated
//! chip, which agree in every bit.

use crate::{AXES, Learner, Sensor, Window, run};
use core::fmt;
use embedded_storage_async::nor_flash::{ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash};
use gradus::store::{AsyncJournal, JournalError};

/// Two slots of two pages each.
const SIZE: usize = 4 * 4096;

/// Flash that loses its power after a number of words.
pub struct Flash {
    bytes: [u8; SIZE],
    words: usize,
}

impl Flash {
    /// Erased, with power for ever.
    #[must_use]
    pub const fn new() -> Self {
        Self { bytes: [0xff; SIZE], words: usize::MAX }
    }

    fn part(&mut self, at: u32, len: usize) -> Result<&mut [u8], NorFlashErrorKind> {
        let part = self.bytes.get_mut(at as usize..).and_then(|rest| rest.get_mut(..len));
        part.ok_or(NorFlashErrorKind::OutOfBounds)
    }
}

impl Default for Flash {
    fn default() -> Self {
        Self::new()
    }
}

impl ErrorType for Flash {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for Flash {
    const READ_SIZE: usize = 4;
    async fn read(&mut self, at: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        bytes.copy_from_slice(self.part(at, bytes.len())?);
        Ok(())
    }
    fn capacity(&self) -> usize {
        SIZE
    }
}

impl NorFlash for Flash {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = 4096;
    async fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        self.part(from, (to - from) as usize)?.fill(0xff);
        Ok(())
    }
    async fn write(&mut self, at: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        for (at, word) in (at..).step_by(4).zip(bytes.chunks(4)) {
            self.words = self.words.checked_sub(1).ok_or(NorFlashErrorKind::Other)?;
            self.part(at, word.len())?.copy_from_slice(word);
        }
        Ok(())
    }
}

/// Three vibrations in turn, the class always said.
pub struct Vibrations {
    seed: u32,
    turn: u8,
}

impl Vibrations {
    /// Other noise for each seed.
    #[must_use]
    pub const fn new(seed: u32) -> Self {
        Self { seed, turn: 0 }
    }

    fn noise(&mut self) -> f32 {
        self.seed = self.seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.seed >> 8) as f32 / 8_388_608.0 - 1.0
    }
}

impl Sensor for Vibrations {
    async fn window(&mut self, to: &mut Window) -> Option<u8> {
        self.turn = (self.turn + 1) % 3;
        let (period, size) = match self.turn {
            0 => (40, 0.05),
            1 => (16, 0.5),
            _ => (6, 0.4),
        };
        for (i, sample) in to.iter_mut().enumerate() {
            let at = i % period;
            let wave = at.min(period - at) as f32 / (period / 2) as f32 * 2.0 - 1.0;
            *sample = core::array::from_fn::<_, AXES, _>(|axis| {
                size * wave / (axis + 1) as f32 + 0.1 * self.noise()
            });
        }
        Some(self.turn)
    }
    fn show(&mut self, _: usize) {}
}

/// How a run ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// How often its power was cut.
    pub cuts: u32,
    /// How often a start had less than was saved before; never, if the journal holds.
    pub lost: u32,
    /// Windows learnt from, as the last start read it from flash.
    pub windows: u32,
    /// Windows of [`TRIALS`] that it names rightly then.
    pub right: u32,
    /// FNV-1a over the bits of its parameters.
    pub weights: u64,
}

/// Windows that it is asked for at the end.
pub const TRIALS: u32 = 300;

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cuts, lost, windows, right, weights } = self;
        write!(f, "{cuts} power cuts, {lost} files lost, {windows} windows, {right} of {TRIALS} right, ")?;
        write!(f, "weights {weights:016x}")
    }
}

/// Learns from 1600 windows while every start has power for a few more words of flash than the one before.
///
/// # Errors
/// Those of a flash that fails without a cut of its power.
pub async fn power_cuts(flash: &mut Flash) -> Result<Outcome, JournalError<NorFlashErrorKind>> {
    let (mut saved, mut cuts, mut lost) = (0, 0, 0);
    let mut sensor = Vibrations::new(1);
    for power in (200..4000).step_by(37).chain([usize::MAX]) {
        flash.words = power;
        let mut learner = Learner::new();
        let mut journal = AsyncJournal::open(&mut *flash, 0..SIZE as u32).await?;
        let end = run(&mut learner, &mut sensor, &mut journal, EVERY, WINDOWS).await;
        lost += u32::from(learner.windows() < saved);
        // The last save is the one that the power cut.
        saved = learner.windows() / EVERY * EVERY - if end.is_err() { EVERY } else { 0 };
        cuts += u32::from(end.is_err());
    }
    let (mut learner, mut sensor) = (Learner::new(), Vibrations::new(99));
    let mut journal = AsyncJournal::open(flash, 0..SIZE as u32).await?;
    run(&mut learner, &mut sensor, &mut journal, EVERY, 0).await?;
    let (mut right, mut window) = (0, [[0.0; AXES]; crate::SAMPLES]);
    for _ in 0..TRIALS {
        let class = sensor.window(&mut window).await;
        right += u32::from(learner.class(&window).ok() == class.map(usize::from));
    }
    let bytes = learner.params.iter().flat_map(|x| x.to_bits().to_le_bytes());
    let weights = bytes.fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    });
    Ok(Outcome { cuts, lost, windows: learner.windows(), right, weights })
}

/// Windows from one save to the next, and those of a whole run.
const EVERY: u32 = 8;
const WINDOWS: u32 = 1600;
