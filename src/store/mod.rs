//! Saving and loading of states: a versioned format that refuses damage.
