//! Whole programs through the front end.

mod examples;
mod files;
mod limits;
