//! Finding tests: files that mention them, checked before anything runs.

use super::Wish;
use super::runner::{Finished, Test};
use crate::modules::DiskModules;
use crate::{report, source, targets};
use harn_runtime::program;
use harn_syntax::ast::{Ast, DeclKind, StmtKind};

/// What the targets hold.
pub struct Found {
    /// Tests to run, by file and place.
    pub tests: Vec<Test>,
    /// Files that cannot be read, parsed or checked: each counts as one failed test.
    pub broken: Vec<Finished>,
    /// Files with tests.
    pub files: usize,
}

/// Reads every file of the targets that mentions tests.
pub fn discover(wish: &Wish, disk: &mut DiskModules) -> Found {
    let mut found = Found { tests: Vec::new(), broken: Vec::new(), files: 0 };
    let mut complaints = targets::Complaints::default();
    for path in targets::programs(&wish.targets, disk) {
        let text = match source::read(&path) {
            Ok(text) => text,
            Err(problem) => {
                found.files += 1;
                found.broken.push(Finished::broken(&path, problem));
                continue;
            }
        };
        if !text.contains("test_") && !text.contains("@test") {
            continue;
        }
        // What the project governs is unknown: a test that passes would show nothing.
        let project = targets::project(&path, disk);
        if !complaints.readable(&project) {
            found.files += 1;
            found.broken.push(Finished::broken(&path, project.problem.unwrap_or_default()));
            continue;
        }
        let graph = match program::load(&path, text, disk, program::Options::default()) {
            Ok(program) => program.graph,
            Err(refusal) => {
                found.files += 1;
                found.broken.push(Finished::broken(&path, report::refusal(&refusal)));
                continue;
            }
        };
        let Some(module) = graph.module(graph.entry) else { continue };
        let names = test_names(module.ast());
        found.files += usize::from(!names.is_empty());
        let chosen = names.into_iter().filter(|name| wish.filter.takes(name));
        found.tests.extend(chosen.map(|name| Test { file: path.clone(), name }));
    }
    found
}

/// The pipelines of a file that are tests: named `test_...`, or marked `@test`.
fn test_names(ast: &Ast) -> Vec<String> {
    let mut names = Vec::new();
    for item in &ast.items {
        let StmtKind::Decl(decl) = &item.kind else { continue };
        let DeclKind::Pipeline(pipeline) = &decl.kind else { continue };
        let name = ast.names.text(pipeline.name.name);
        let marked = decl.attributes.iter().any(|a| ast.names.text(a.name.name) == "test");
        if marked || name.starts_with("test_") {
            names.push(name.to_owned());
        }
    }
    names
}
