//! Whole programs on a scripted host with its own time: nothing here sleeps.

mod concurrency;
mod effects;
mod world;
