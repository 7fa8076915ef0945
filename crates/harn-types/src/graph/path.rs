//! From an import's text to a file: relative to the importer, then in the packages above it (spec 02 section 16.2).

use super::SourceLoader;

/// What an import path led to.
pub(super) enum Found {
    /// A file: the path to read, as messages show it.
    File(String),
    /// Nothing: the path that reading fails on.
    Missing(String),
}

/// Finds the file of `import "path"` written in the file `importer`.
pub(super) fn find(importer: &str, path: &str, loader: &mut dyn SourceLoader) -> Found {
    let relative = join(parent(importer), path);
    if loader.is_file(&relative) {
        return Found::File(relative);
    }
    let relative = if has_extension(path) { relative } else { relative + ".harn" };
    if loader.is_file(&relative) {
        return Found::File(relative);
    }
    match in_packages(importer, path, loader) {
        Some(file) => Found::File(file),
        None => Found::Missing(relative),
    }
}

/// The directory part of a path; empty for a bare file name.
pub(super) fn parent(path: &str) -> &str {
    match path.rfind('/') {
        Some(0) => "/",
        Some(cut) => path.get(..cut).unwrap_or(""),
        None => "",
    }
}

fn join(directory: &str, path: &str) -> String {
    if directory.is_empty() || path.starts_with('/') {
        path.to_owned()
    } else if directory.ends_with('/') {
        format!("{directory}{path}")
    } else {
        format!("{directory}/{path}")
    }
}

fn has_extension(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rfind('.').is_some_and(|dot| dot > 0)
}

/// Only plain relative components may name something in a package.
fn is_plain(path: &str) -> bool {
    !path.is_empty()
        && !path.contains('\\')
        && !path.contains('\0')
        && path.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

fn in_packages(importer: &str, path: &str, loader: &mut dyn SourceLoader) -> Option<String> {
    if !is_plain(path) {
        return None;
    }
    let directory = parent(importer);
    let start = loader.canonical(if directory.is_empty() { "." } else { directory })?;
    let mut here = start.as_str();
    loop {
        let packages = join(here, ".harn/packages");
        if loader.exists(&packages)
            && let Some(file) = in_package(&packages, path, loader)
        {
            return Some(file);
        }
        if here == "/" || here.is_empty() || loader.exists(&join(here, ".git")) {
            return None;
        }
        here = parent(here);
    }
}

fn in_package(packages: &str, path: &str, loader: &mut dyn SourceLoader) -> Option<String> {
    let (package, rest) = path.split_once('/').unwrap_or((path, ""));
    let root = join(packages, package);
    let direct = join(packages, path);
    let mut candidates = vec![direct.clone(), format!("{direct}/lib.harn"), format!("{direct}.harn")];
    if let Ok(manifest) = loader.read(&join(&root, "harn.toml"))
        && let Some(target) = exported(&manifest, rest)
        && is_plain(&target)
    {
        candidates.push(join(&root, &target));
        candidates.push(join(&root, &target) + ".harn");
    }
    let file = candidates.into_iter().find(|candidate| loader.is_file(candidate))?;
    // A package that is a single file (`packages/name.harn`) is its own root.
    let home = match loader.canonical(&root) {
        Some(home) => home + "/",
        None => loader.canonical(packages)? + "/",
    };
    let real = loader.canonical(&file)?;
    real.starts_with(&home).then_some(file)
}

/// The file that the `[exports]` table of a package's manifest gives for `name`.
fn exported(manifest: &str, name: &str) -> Option<String> {
    let document = crate::manifest::parse("harn.toml", manifest).ok()?;
    document.text("exports", name).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_and_absolute_paths_never_name_a_package_file() {
        for path in ["../x", "a/../b", "/a", "a\\b", "", "a//b", "./a"] {
            assert!(!is_plain(path), "{path}");
        }
        assert!(is_plain("a/b-c.harn"));
    }

    #[test]
    fn an_extension_is_a_dot_inside_the_last_component() {
        assert!(has_extension("a/b.harn"));
        assert!(!has_extension("a.b/c"));
        assert!(!has_extension(".hidden"));
    }
}
