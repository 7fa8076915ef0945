//! Files (spec 06 section 2).

use crate::Builtin;
use Builtin as B;
use harn_effect::EffectClass;

/// The rows.
pub const ROWS: &[Builtin] = &[
    B::prelude("files", "read_file", "fn(path: string) -> string", "The UTF-8 text of a file.", "let p = path_join(temp_subdir(), \"a.txt\")\nwrite_file(p, \"one\")\nread_file(p) // one")
    .effect(EffectClass::Read),
    B::prelude("files", "read_file_result", "fn(path: string) -> Result<string, string>", "The text of a file as Ok, or the reason as Err; never throws.", r#"is_err(read_file_result("/no/such/file")) // true"#)
    .effect(EffectClass::Read),
    B::prelude("files", "read_file_bytes", "fn(path: string) -> bytes", "The bytes of a file.", "let p = path_join(temp_subdir(), \"a.txt\")\nwrite_file(p, \"one\\ntwo\")\nbytes_len(read_file_bytes(p)) // 7")
    .effect(EffectClass::Read),
    B::prelude("files", "read_lines", "fn(path: string) -> list<string>", "The lines of a file without their terminators.", "let p = path_join(temp_subdir(), \"a.txt\")\nwrite_file(p, \"one\\ntwo\")\nread_lines(p) // [one, two]")
    .effect(EffectClass::Read),
    B::prelude("files", "write_file", "fn(path: string, content: any) -> nil", "Replaces a file by the display form of a value; readers see the old or the new text.", "let p = path_join(temp_subdir(), \"a.txt\")\nwrite_file(p, \"one\\ntwo\")\nread_file(p).count // 7")
    .effect(EffectClass::Write),
    B::prelude("files", "write_file_bytes", "fn(path: string, content: bytes) -> nil", "Replaces a file by bytes.", r#"write_file_bytes(path_join(temp_subdir(), "b"), bytes_from_string("x")) // nil"#)
    .effect(EffectClass::Write),
    B::prelude("files", "append_file", "fn(path: string, content: any) -> nil", "Appends to a file, creating it when absent.", "let p = path_join(temp_subdir(), \"a.txt\")\nwrite_file(p, \"one\\ntwo\")\nappend_file(p, \"!\")\nread_file(p).ends_with(\"!\") // true")
    .effect(EffectClass::Write),
    B::prelude("files", "file_exists", "fn(path: string) -> bool", "Whether a path exists; true for directories.", "file_exists(temp_dir()) // true")
    .effect(EffectClass::Read),
    B::prelude("files", "stat", "fn(path: string) -> dict", "Size, kind and modification time of a path.", "stat(temp_dir()).is_dir // true")
    .effect(EffectClass::Read),
    B::prelude("files", "list_dir", "fn(path?: string) -> list<string>", "The names in a directory, in byte order.", "list_dir(temp_subdir()) // []")
    .effect(EffectClass::Read),
    B::prelude("files", "mkdir", "fn(path: string) -> nil", "Creates a directory and its parents.", "let d = path_join(temp_subdir(), \"a\", \"b\")\nmkdir(d)\nstat(d).is_dir // true")
    .effect(EffectClass::Write),
    B::prelude("files", "copy_file", "fn(src: string, dst: string) -> nil", "Copies a file, overwriting.", "let p = path_join(temp_subdir(), \"a.txt\")\nwrite_file(p, \"one\\ntwo\")\ncopy_file(p, p + \".bak\")\nfile_exists(p + \".bak\") // true")
    .effect(EffectClass::Write),
    B::prelude("files", "move_file", "fn(src: string, dst: string) -> nil", "Renames a file; across file systems copies and deletes.", "let p = path_join(temp_subdir(), \"a.txt\")\nwrite_file(p, \"one\\ntwo\")\nmove_file(p, p + \".new\")\nfile_exists(p) // false")
    .effect(EffectClass::Write),
    B::prelude("files", "delete_file", "fn(path: string) -> nil", "Deletes a file, a link, or a directory with all in it.", "let p = path_join(temp_subdir(), \"a.txt\")\nwrite_file(p, \"one\\ntwo\")\ndelete_file(p)\nfile_exists(p) // false")
    .effect(EffectClass::Write),
    B::prelude("files", "walk_dir", "fn(root: string, options?: dict) -> list<dict>", "All entries below a directory, parents first.", "walk_dir(temp_subdir())[0].depth // 0")
    .effect(EffectClass::Read),
    B::prelude("globs", "glob", "fn(pattern: any, base?: any, options?: dict) -> list<string>", "The paths below `base` that match a pattern, sorted; `**` crosses directories.", r#"glob("**/*.harn", temp_subdir()) // []"#)
    .effect(EffectClass::Read),
    B::prelude("files", "temp_file", "fn(prefix?: string, suffix?: string) -> string", "A new empty private file; its path.", "file_exists(temp_file()) // true")
    .effect(EffectClass::Write),
    B::prelude("files", "temp_subdir", "fn(prefix?: string) -> string", "A new private directory; its path.", "stat(temp_subdir()).is_dir // true")
    .effect(EffectClass::Write),
];
