//! The compiler: a module graph in, one verified [`harn_bytecode::Module`] per file out.
mod code;
mod ownership;
mod registers;
mod survey;
