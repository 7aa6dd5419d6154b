//! Augmentation of images.
