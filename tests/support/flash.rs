//! A flash that loses power: at any byte of a write or an erase, and in more than one way.

use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash, check_erase, check_read, check_write,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    PowerCut,
    Misuse(NorFlashErrorKind),
    WrittenTwice,
    Unreadable,
}

impl NorFlashError for Fault {
    fn kind(&self) -> NorFlashErrorKind {
        match self {
            Self::Misuse(kind) => *kind,
            _ => NorFlashErrorKind::Other,
        }
    }
}

/// What a cut leaves of the bytes that were being written, or of the block that was being erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tear {
    /// The first bytes are done, the others untouched.
    Prefix,
    /// The last bytes are done, the others untouched.
    Suffix,
    /// Every bit is done or not, at random.
    Bits,
    /// Any bytes at all.
    Garbage,
    /// All bits 1.
    Ones,
    /// All bits 0.
    Zeros,
    /// The first bytes are done; the word at the cut, of an erase the whole block, cannot be read until it is erased:
    /// its code for errors (ECC) does not fit.
    Unreadable,
}

pub const TEARS: [Tear; 7] =
    [Tear::Prefix, Tear::Suffix, Tear::Bits, Tear::Garbage, Tear::Ones, Tear::Zeros, Tear::Unreadable];

/// `READ` and `WRITE` bytes are a word, `ERASE` a block.
#[derive(Clone, Debug)]
pub struct Flash<const READ: usize, const WRITE: usize, const ERASE: usize> {
    pub bytes: Vec<u8>,
    /// Words that were written since their block was erased.
    written: Vec<bool>,
    /// Words that cannot be read.
    unreadable: Vec<bool>,
    /// Bytes that can still be written or erased before the cut.
    pub left: usize,
    pub tear: Tear,
    pub seed: u64,
}

impl<const READ: usize, const WRITE: usize, const ERASE: usize> Flash<READ, WRITE, ERASE> {
    /// As from the factory: anything may be in it.
    pub fn new(blocks: usize, seed: u64) -> Self {
        let size = blocks * ERASE;
        let mut flash = Self {
            bytes: vec![0; size],
            written: vec![true; size / WRITE],
            unreadable: vec![false; size / WRITE],
            left: usize::MAX,
            tear: Tear::Prefix,
            seed,
        };
        for k in 0..size {
            flash.bytes[k] = flash.random();
        }
        flash
    }

    fn random(&mut self) -> u8 {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.seed >> 56) as u8
    }

    /// Makes the word at `at` unreadable.
    pub fn spoil(&mut self, at: usize) {
        self.unreadable[at / WRITE] = true;
    }

    /// Whether `n` bytes from `at` on can be read.
    pub fn readable(&self, at: usize, n: usize) -> bool {
        !self.unreadable[at / WRITE..(at + n).div_ceil(WRITE)].contains(&true)
    }

    /// Turns bytes from `at` on into `goal`, as far as the power lasts.
    fn program(&mut self, at: usize, goal: &[u8]) -> Result<(), Fault> {
        let done = self.left.min(goal.len());
        self.left -= done;
        if done == goal.len() {
            self.bytes[at..at + done].copy_from_slice(goal);
            return Ok(());
        }
        let goals = goal.len();
        for (k, &goal) in goal.iter().enumerate() {
            let old = self.bytes[at + k];
            let random = self.random();
            self.bytes[at + k] = match self.tear {
                Tear::Prefix | Tear::Unreadable if k < done => goal,
                Tear::Suffix if k >= goals - done => goal,
                Tear::Prefix | Tear::Suffix | Tear::Unreadable => old,
                Tear::Bits => (old & random) | (goal & !random),
                Tear::Garbage => random,
                Tear::Ones => 0xff,
                Tear::Zeros => 0,
            };
        }
        if self.tear == Tear::Unreadable {
            self.spoil(at + done);
        }
        Err(Fault::PowerCut)
    }
}

impl<const READ: usize, const WRITE: usize, const ERASE: usize> ErrorType for Flash<READ, WRITE, ERASE> {
    type Error = Fault;
}

impl<const READ: usize, const WRITE: usize, const ERASE: usize> ReadNorFlash for Flash<READ, WRITE, ERASE> {
    const READ_SIZE: usize = READ;
    fn read(&mut self, at: u32, bytes: &mut [u8]) -> Result<(), Fault> {
        check_read(self, at, bytes.len()).map_err(Fault::Misuse)?;
        if !self.readable(at as usize, bytes.len()) {
            return Err(Fault::Unreadable);
        }
        bytes.copy_from_slice(&self.bytes[at as usize..][..bytes.len()]);
        Ok(())
    }
    fn capacity(&self) -> usize {
        self.bytes.len()
    }
}

impl<const READ: usize, const WRITE: usize, const ERASE: usize> NorFlash for Flash<READ, WRITE, ERASE> {
    const WRITE_SIZE: usize = WRITE;
    const ERASE_SIZE: usize = ERASE;
    fn erase(&mut self, from: u32, to: u32) -> Result<(), Fault> {
        check_erase(self, from, to).map_err(Fault::Misuse)?;
        for block in (from as usize..to as usize).step_by(ERASE) {
            // After a cut no word of the block is known to be blank.
            let words = block / WRITE..(block + ERASE) / WRITE;
            self.written[words.clone()].fill(true);
            if let Err(cut) = self.program(block, &[0xff; ERASE]) {
                if self.tear == Tear::Unreadable {
                    self.unreadable[words].fill(true);
                }
                return Err(cut);
            }
            self.written[words.clone()].fill(false);
            self.unreadable[words].fill(false);
        }
        Ok(())
    }
    fn write(&mut self, at: u32, bytes: &[u8]) -> Result<(), Fault> {
        check_write(self, at, bytes.len()).map_err(Fault::Misuse)?;
        for word in &mut self.written[at as usize / WRITE..][..bytes.len() / WRITE] {
            if std::mem::replace(word, true) {
                return Err(Fault::WrittenTwice);
            }
        }
        self.program(at as usize, bytes)
    }
}
