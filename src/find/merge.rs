//! Merges that a CI server made: which parent was tested, and which is only what it was merged
//! with.
//!
//! The second parent is what was merged in, the first what it was merged into; but a job may as
//! well check out the head and merge the base branch. So a parent that is part of the branch which
//! another parent's pull request is to be merged into decides nothing, even if it is the head of a
//! pull request itself: that of a release, whose head is the tip of the main branch.

use super::{Match, Relation, Search, is_open, matching, older};
use crate::error::{Error, Result};
use crate::github::PullRequest;
use crate::status::Status;

/// A parent and the pull requests that it belongs to.
struct Side {
    parent: String,
    is_first: bool,
    matches: Vec<Match>,
    /// Another parent is known to be of the branch that these are to be merged into.
    is_on_base: bool,
}

/// One merge that is traced.
struct Merge<'a, 's> {
    search: &'a mut Search<'s>,
    open: &'a [PullRequest],
    /// Which commits were looked for in which branches or commits, and whether they are there.
    compared: Vec<(String, String, bool)>,
}

/// Searches for the pull requests that a merge is a test of.
pub(super) fn search(search: &mut Search<'_>, open: &[PullRequest]) -> Result<Vec<Match>> {
    let parents = search.look_up()?.parents;
    if parents.len() < 2 {
        return Ok(Vec::new());
    }
    let mut merge = Merge { search, open, compared: Vec::new() };
    let mut sides = merge.sides(&parents)?.into_iter();
    let Some(mut tested) = sides.next() else { return Ok(Vec::new()) };
    for other in sides {
        tested = merge.settle(tested, other)?;
    }
    if merge.is_certain(&tested)? {
        return Ok(tested.matches);
    }
    search.seen.push(format!(
        "its parent {} belongs to {}, but may only be what another commit was merged with",
        tested.parent,
        numbers(&tested.matches)
    ));
    Ok(Vec::new())
}

/// Whether the commit is a merge of the head of a pull request that somebody named.
pub(super) fn is_of(search: &mut Search<'_>, pull: &PullRequest) -> Result<bool> {
    let parents = search.look_up()?.parents;
    match parents.iter().position(|parent| *parent == pull.head_sha) {
        None => Ok(false),
        Some(_) if parents.len() < 2 => Ok(false),
        Some(0) => Ok(pull.head_branch.is_none() || is_with_base(search, pull)?),
        Some(_) => Ok(true),
    }
}

/// Whether what was merged into the first parent is of the pull request's base branch.
pub(super) fn is_with_base(search: &mut Search<'_>, pull: &PullRequest) -> Result<bool> {
    let merged = search.look_up()?.parents.into_iter().skip(1);
    let open = std::slice::from_ref(pull);
    let mut merge = Merge { search, open, compared: Vec::new() };
    let pulls = [Match { pull_request: pull.clone(), relation: Relation::MergeOf }];
    for parent in merged {
        if merge.is_base(&parent, &pulls)? {
            return Ok(true);
        }
    }
    Ok(false)
}

impl Merge<'_, '_> {
    /// What the parents belong to, the one that was merged in first.
    fn sides(&mut self, parents: &[String]) -> Result<Vec<Side>> {
        let order: Vec<(usize, &String)> =
            parents.iter().enumerate().skip(1).chain(parents.iter().enumerate().take(1)).collect();
        let mut sides: Vec<(usize, Side)> = Vec::new();
        let side = |index, parent: &str, matches| {
            let parent = parent.to_owned();
            (index, Side { parent, is_first: index == 0, matches, is_on_base: false })
        };
        let (heads, others): (Vec<_>, Vec<_>) = order
            .iter()
            .map(|(index, parent)| (*index, *parent, matching::heads(self.open, parent)))
            .partition(|(_, _, matches)| !matches.is_empty());
        sides.extend(heads.into_iter().map(|(index, parent, found)| side(index, parent, found)));
        'parents: for (index, parent, _) in others {
            for (_, known) in &mut sides {
                if self.is_base(parent, &known.matches)? {
                    known.is_on_base = true;
                    continue 'parents;
                }
            }
            let found = older::of_parent(self.search, parent)?;
            if !found.is_empty() {
                sides.push(side(index, parent, found));
            }
        }
        sides.sort_by_key(|(index, _)| order.iter().position(|(place, _)| place == index));
        Ok(sides.into_iter().map(|(_, side)| side).collect())
    }

    /// Which of two parents was tested. The first one is where each is a base of the other.
    fn settle(&mut self, one: Side, other: Side) -> Result<Side> {
        let same = |each: &Match| {
            let number = each.pull_request.number;
            other.matches.iter().any(|other| other.pull_request.number == number)
        };
        if one.matches.iter().any(same) {
            let is_current = one.matches.iter().any(|each| each.relation.is_current());
            let later = if is_current { one } else { other };
            return Ok(Side { is_on_base: true, ..later });
        }
        for ask in [false, true] {
            if self.is_behind(&other, &one, ask)? {
                return Ok(Side { is_on_base: true, ..one });
            }
            if self.is_behind(&one, &other, ask)? {
                return Ok(Side { is_on_base: true, ..other });
            }
        }
        let commit = &self.search.commit;
        let (one, other) = (numbers(&one.matches), numbers(&other.matches));
        Err(Error::new(
            Status::Ambiguous,
            format!("commit {commit} is a merge of what belongs to {one} and to {other}"),
        )
        .advise("say which one was tested: give its number as `pull_request`"))
    }

    /// Whether a side brings nothing but what the other one is to be merged into, or was made from.
    fn is_behind(&mut self, side: &Side, other: &Side, ask: bool) -> Result<bool> {
        if !ask {
            let comes_from = |branch: &String| {
                side.matches
                    .iter()
                    .any(|each| each.pull_request.head_branch.as_ref() == Some(branch))
            };
            return Ok(other.matches.iter().any(|each| {
                let pull = &each.pull_request;
                self.is_known_base(&side.parent, pull) || comes_from(&pull.base_branch)
            }));
        }
        Ok(self.is_base(&side.parent, &other.matches)?
            || self.contains(&other.parent, &side.parent)?)
    }

    /// Whether a commit is of the branch that one of these is to be merged into.
    fn is_base(&mut self, commit: &str, of: &[Match]) -> Result<bool> {
        if of.iter().any(|each| self.is_known_base(commit, &each.pull_request)) {
            return Ok(true);
        }
        for each in of {
            if self.contains(&each.pull_request.base_branch, commit)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether a commit is known to have been the tip of the pull request's base branch.
    fn is_known_base(&self, commit: &str, of: &PullRequest) -> bool {
        of.base_sha == commit
            || self
                .open
                .iter()
                .any(|pull| pull.base_branch == of.base_branch && pull.base_sha == commit)
    }

    /// Whether a commit is part of a branch or of another commit, as GitHub says.
    fn contains(&mut self, whole: &str, commit: &str) -> Result<bool> {
        let known = self.compared.iter().find(|(of, is, _)| of == whole && is == commit);
        if let Some((_, _, contains)) = known {
            return Ok(*contains);
        }
        let contains = match self.search.github.contains(whole, commit) {
            Ok(contains) => contains,
            Err(error) if error.is_final() => return Err(error.into_error()),
            Err(error) => {
                self.search
                    .seen
                    .push(format!("{commit} could not be looked for in {whole}: {error}"));
                false
            }
        };
        self.compared.push((whole.to_owned(), commit.to_owned(), contains));
        Ok(contains)
    }

    /// Whether a side is what was tested, and not a base that something without a pull request was
    /// merged with.
    fn is_certain(&mut self, side: &Side) -> Result<bool> {
        if side.is_on_base {
            return Ok(true);
        }
        let is_a_base = self.open.iter().any(|pull| {
            let comes_from =
                |each: &Match| each.pull_request.head_branch.as_ref() == Some(&pull.base_branch);
            pull.base_sha == side.parent || side.matches.iter().any(comes_from)
        });
        let is_head_of_a_fork = side
            .matches
            .iter()
            .all(|each| each.relation.is_current() && each.pull_request.head_branch.is_none());
        let is_likely = !is_a_base && (is_head_of_a_fork || !side.is_first);
        Ok(is_likely && !self.is_of_the_default_branch(side)?)
    }

    /// Whether a side that belongs to what is still open, such as a release, is part of the default
    /// branch: that is what everything else is merged with.
    fn is_of_the_default_branch(&mut self, side: &Side) -> Result<bool> {
        if !side.matches.iter().all(|each| is_open(&each.pull_request)) {
            return Ok(false);
        }
        let Some(default) = self.search.github.default_branch()? else { return Ok(false) };
        let pulls = || side.matches.iter().map(|each| &each.pull_request);
        if pulls().any(|pull| pull.head_branch.as_ref() == Some(&default)) {
            return Ok(true);
        }
        // What is to be merged into it is not there yet.
        Ok(pulls().any(|pull| pull.base_branch != default)
            && self.contains(&default, &side.parent)?)
    }
}

fn numbers(matches: &[Match]) -> String {
    let numbers: Vec<_> =
        matches.iter().map(|each| format!("#{}", each.pull_request.number)).collect();
    numbers.join(", ")
}
