//! Path builtins (spec 06 section 1.2).

mod lexical;

use harn_vm::Value;

use crate::arguments::{Body, done, text, text_of};
use lexical::{Path, split_extension};

/// The bodies.
pub const BODIES: &[Body] = &[
    ("path_join", |_, a| {
        let parts: Vec<_> = a.iter().map(text_of).collect();
        done(lexical::join(parts.iter().map(|p| &**p)))
    }),
    ("path_normalize", |_, a| done(lexical::normalize(&text(a, 0)))),
    ("path_parts", |_, a| {
        let path = Path::parse(&text(a, 0));
        let (stem, ext) = split_extension(path.file());
        done(Value::dict([
            ("dir", Value::string(path.parent())),
            ("file", Value::str(path.file())),
            ("stem", Value::str(stem)),
            ("ext", Value::str(ext)),
            ("segments", segments(&path)),
        ]))
    }),
    ("path_parent", |_, a| done(Path::parse(&text(a, 0)).parent())),
    ("path_basename", |_, a| done(Path::parse(&text(a, 0)).file())),
    ("path_stem", |_, a| done(split_extension(Path::parse(&text(a, 0)).file()).0)),
    ("path_extension", |_, a| done(split_extension(Path::parse(&text(a, 0)).file()).1)),
    ("path_with_extension", |_, a| {
        let ext = text(a, 1);
        let dotted = match &*ext {
            "" => String::new(),
            ext if ext.starts_with('.') => ext.to_owned(),
            ext => format!(".{ext}"),
        };
        done(lexical::with_file(&text(a, 0), |stem, _| format!("{stem}{dotted}")))
    }),
    ("path_with_stem", |_, a| done(lexical::with_file(&text(a, 0), |_, ext| format!("{}{ext}", text(a, 1))))),
    ("path_is_absolute", |_, a| done(Path::parse(&text(a, 0)).absolute)),
    ("path_is_relative", |_, a| done(!Path::parse(&text(a, 0)).absolute)),
    ("path_relative_to", |_, a| done(lexical::relative_to(&text(a, 0), &text(a, 1)))),
    ("path_segments", |_, a| done(segments(&Path::parse(&text(a, 0))))),
    ("path_to_posix", |_, a| done(text(a, 0).replace('\\', "/"))),
    ("path_to_native", |_, a| done(text(a, 0).replace('\\', "/"))),
    ("dirname", |_, a| done(lexical::dirname(&text(a, 0)))),
    ("basename", |_, a| done(lexical::basename(&text(a, 0)))),
    ("extname", |_, a| done(lexical::extname(&text(a, 0)))),
];

fn segments(path: &Path) -> Value {
    Value::list(path.segments.iter().map(|s| Value::str(s)).collect())
}
