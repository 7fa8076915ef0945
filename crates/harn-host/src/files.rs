//! Files and directories (spec 06 section 2). Errors are runtime errors whose text is the operating system's.

use harn_effect::{Data, Outcome, Raised};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::UNIX_EPOCH;

fn path<'a>(args: &'a Data, field: &str) -> &'a Path {
    Path::new(args.field(field).as_str().unwrap_or(""))
}

fn outcome<T: Into<Data>>(result: io::Result<T>) -> Outcome {
    result.map(Into::into).map_err(|e| Raised::runtime(e.to_string()))
}

fn nil(result: io::Result<()>) -> Outcome {
    outcome(result.map(|()| Data::Nil))
}

/// `file.read`.
pub fn read(args: &Data) -> Outcome {
    outcome(fs::read(path(args, "path")).map(Data::Bytes))
}

/// `file.write`: appended, or replaced as a whole so that a reader sees the old or the new content.
pub fn write(args: &Data) -> Outcome {
    let bytes = match args.field("bytes") {
        Data::Bytes(bytes) => bytes.as_slice(),
        Data::Str(text) => text.as_bytes(),
        _ => &[],
    };
    let target = path(args, "path");
    if args.field("append").as_bool() == Some(true) {
        let file = fs::OpenOptions::new().append(true).create(true).open(target);
        return nil(file.and_then(|mut file| file.write_all(bytes)));
    }
    nil(replace(target, bytes, args.field("sync").as_bool() == Some(true)))
}

/// Writes `bytes` beside `target` and renames. Where that cannot work (a device, a pipe, a directory one may not
/// write to), writes in place. `sync`: what is renamed is on the disk before.
fn replace(target: &Path, bytes: &[u8], sync: bool) -> io::Result<()> {
    let existing = fs::metadata(target).ok();
    if existing.as_ref().is_some_and(|m| !m.is_file()) {
        return fs::write(target, bytes);
    }
    // Through a symbolic link the linked file is replaced, not the link.
    let place = if existing.is_some() { fs::canonicalize(target)? } else { target.to_path_buf() };
    if existing.as_ref().is_some_and(|m| m.permissions().readonly()) {
        return fs::write(&place, bytes);
    }
    let Some(draft) = draft_beside(&place) else { return fs::write(&place, bytes) };
    let file = match fs::OpenOptions::new().write(true).create_new(true).open(&draft) {
        Ok(file) => file,
        Err(_) => return fs::write(&place, bytes),
    };
    let written = fill(file, bytes, existing.as_ref(), sync).and_then(|()| fs::rename(&draft, &place));
    if written.is_err() {
        let _ = fs::remove_file(&draft);
    }
    written
}

fn fill(mut file: fs::File, bytes: &[u8], like: Option<&fs::Metadata>, sync: bool) -> io::Result<()> {
    if let Some(existing) = like {
        file.set_permissions(existing.permissions())?;
    }
    file.write_all(bytes)?;
    if sync { file.sync_all() } else { Ok(()) }
}

fn draft_beside(place: &Path) -> Option<PathBuf> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let name = place.file_name()?.to_string_lossy();
    let n = COUNT.fetch_add(1, Ordering::Relaxed);
    Some(place.with_file_name(format!(".{name}.{}-{n}.draft", std::process::id())))
}

/// `file.stat`.
pub fn stat(args: &Data) -> Outcome {
    let target = path(args, "path");
    let found = if args.field("link").as_bool() == Some(true) {
        fs::symlink_metadata(target)
    } else {
        fs::metadata(target)
    };
    match found {
        Ok(meta) => Ok(describe(&meta)),
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(Data::Nil),
        Err(e) => Err(Raised::runtime(e.to_string())),
    }
}

fn describe(meta: &fs::Metadata) -> Data {
    let kind = match meta.file_type() {
        t if t.is_dir() => "dir",
        t if t.is_file() => "file",
        t if t.is_symlink() => "symlink",
        _ => "other",
    };
    let modified = meta.modified().ok().and_then(|t| t.duration_since(UNIX_EPOCH).ok());
    Data::dict([
        ("kind", Data::from(kind)),
        ("size", Data::Int(i64::try_from(meta.len()).unwrap_or(i64::MAX))),
        ("readonly", meta.permissions().readonly().into()),
        ("modified", modified.map(|d| d.as_secs_f64()).into()),
    ])
}

/// `file.list`.
pub fn list(args: &Data) -> Outcome {
    outcome(names(path(args, "path")).map(Data::from))
}

/// Names in a directory, in byte order.
fn names(dir: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(dir)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort_unstable();
    Ok(names)
}

/// `file.delete`.
pub fn delete(args: &Data) -> Outcome {
    let target = path(args, "path");
    let is_dir = fs::symlink_metadata(target).is_ok_and(|m| m.is_dir());
    nil(if is_dir { fs::remove_dir(target) } else { fs::remove_file(target) })
}

/// `tree.delete`: a link is removed, never what it points to.
pub fn delete_tree(args: &Data) -> Outcome {
    let target = path(args, "path");
    let is_dir = fs::symlink_metadata(target).is_ok_and(|m| m.is_dir());
    nil(if is_dir { fs::remove_dir_all(target) } else { fs::remove_file(target) })
}

/// `dir.create`.
pub fn create_dir(args: &Data) -> Outcome {
    nil(fs::create_dir_all(path(args, "path")))
}

/// `file.rename`.
pub fn rename(args: &Data) -> Outcome {
    nil(fs::rename(path(args, "from"), path(args, "to")))
}

/// `file.copy`.
pub fn copy(args: &Data) -> Outcome {
    nil(fs::copy(path(args, "from"), path(args, "to")).map(|_| ()))
}

/// `file.canonical`.
pub fn canonical(args: &Data) -> Outcome {
    outcome(fs::canonicalize(path(args, "path")).map(|p| p.to_string_lossy().into_owned()))
}

/// `temp.create`: a new file or directory that nobody else can read.
pub fn create_temp(args: &Data) -> Outcome {
    let text = |field| args.field(field).as_str().unwrap_or("");
    let mut builder = tempfile::Builder::new();
    builder.prefix(text("prefix")).suffix(text("suffix"));
    let made = if args.field("dir").as_bool() == Some(true) {
        builder.tempdir().map(|dir| dir.keep())
    } else {
        builder.tempfile().and_then(|file| file.into_temp_path().keep().map_err(io::Error::from))
    };
    outcome(made.map(|p| p.to_string_lossy().into_owned()))
}

/// `dir.walk`: the root first, then depth first with siblings in byte order; what cannot be read is left out.
pub fn walk(args: &Data) -> Outcome {
    let root = path(args, "path");
    let limit = args.field("max_depth").as_int().unwrap_or(i64::MAX);
    let follow = args.field("follow_symlinks").as_bool() == Some(true);
    let mut entries = Vec::new();
    // Directories above the current one by identity, so that links cannot lead in circles.
    let mut open: Vec<(PathBuf, i64, Vec<PathBuf>)> = vec![(root.to_path_buf(), 0, Vec::new())];
    while let Some((place, depth, above)) = open.pop() {
        let meta = if follow || depth == 0 { fs::metadata(&place) } else { fs::symlink_metadata(&place) };
        let Ok(meta) = meta.or_else(|_| fs::symlink_metadata(&place)) else { continue };
        entries.push(Data::dict([
            ("path", Data::from(place.to_string_lossy().into_owned())),
            ("is_dir", meta.is_dir().into()),
            ("is_file", meta.is_file().into()),
            ("depth", depth.into()),
        ]));
        if !meta.is_dir() || depth >= limit {
            continue;
        }
        let Ok(identity) = fs::canonicalize(&place) else { continue };
        if above.contains(&identity) {
            continue;
        }
        let Ok(children) = names(&place) else { continue };
        let mut above = above;
        above.push(identity);
        for name in children.into_iter().rev() {
            open.push((place.join(name), depth + 1, above.clone()));
        }
    }
    Ok(Data::List(entries))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(path: &Path) -> Data {
        Data::dict([("path", Data::from(path.to_string_lossy().into_owned()))])
    }

    fn writing(path: &Path, text: &str, append: bool) -> Data {
        Data::dict([
            ("path", Data::from(path.to_string_lossy().into_owned())),
            ("bytes", Data::Bytes(text.as_bytes().to_vec())),
            ("append", append.into()),
        ])
    }

    #[test]
    fn a_write_replaces_and_leaves_no_draft() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.txt");
        write(&writing(&file, "one", false)).unwrap();
        write(&writing(&file, "two", false)).unwrap();
        write(&writing(&file, "!", true)).unwrap();
        assert_eq!(read(&at(&file)), Ok(Data::Bytes(b"two!".to_vec())));
        assert_eq!(list(&at(dir.path())), Ok(Data::List(vec!["a.txt".into()])));
    }

    #[test]
    fn a_write_goes_through_a_link() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("file"), dir.path().join("link"));
        write(&writing(&file, "old", false)).unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        write(&writing(&link, "new", false)).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(read(&at(&file)), Ok(Data::Bytes(b"new".to_vec())));
    }

    #[test]
    fn errors_carry_the_text_of_the_system() {
        let missing = Data::dict([("path", Data::from("/nowhere/x"))]);
        assert_eq!(read(&missing), Err(Raised::runtime("No such file or directory (os error 2)")));
        assert_eq!(stat(&missing), Ok(Data::Nil));
    }

    #[test]
    fn deleting_a_tree_spares_the_target_of_a_link() {
        let dir = tempfile::tempdir().unwrap();
        let (kept, link) = (dir.path().join("kept"), dir.path().join("link"));
        fs::create_dir(&kept).unwrap();
        std::os::unix::fs::symlink(&kept, &link).unwrap();
        delete_tree(&at(&link)).unwrap();
        assert!(kept.exists() && !link.exists());
    }

    #[test]
    fn a_walk_is_sorted_and_ends_in_spite_of_circles() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("b")).unwrap();
        fs::write(dir.path().join("a"), "").unwrap();
        std::os::unix::fs::symlink(dir.path(), dir.path().join("b/up")).unwrap();
        let args = Data::dict([
            ("path", Data::from(dir.path().to_string_lossy().into_owned())),
            ("follow_symlinks", true.into()),
        ]);
        let Ok(Data::List(entries)) = walk(&args) else { panic!("a list was expected") };
        let depths: Vec<i64> = entries.iter().filter_map(|e| e.field("depth").as_int()).collect();
        assert_eq!(depths, [0, 1, 1, 2]);
    }
}
