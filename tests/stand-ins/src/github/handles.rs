//! What a test holds to arrange repositories, pull requests and tokens.

use std::sync::Arc;

use super::World;
use super::state::{
    Change, CommentState, ForcePush, Merge, Permission, PullState, RepositoryState,
};
use crate::{lock, sha};

/// A repository of the stand-in. Clones mean the same repository; each method that changes it
/// hands it back, so that calls can be chained.
#[derive(Clone)]
pub struct Repository {
    pub(super) world: Arc<World>,
    pub(super) id: u64,
}

/// A pull request of the stand-in. Clones mean the same one.
#[derive(Clone)]
pub struct Pull {
    world: Arc<World>,
    repository: u64,
    number: u64,
}

impl Repository {
    fn with<T>(&self, change: impl FnOnce(&mut RepositoryState, u64) -> T) -> T {
        let mut state = lock(&self.world.state);
        let now = state.now();
        change(state.by_id_mut(self.id).expect("repositories are never removed"), now)
    }

    fn changed(&self, change: impl FnOnce(&mut RepositoryState)) -> Self {
        self.with(|repository, _| change(repository));
        self.clone()
    }

    /// The id that `/repositories/{id}` uses.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// `owner/name` as it is now.
    pub fn full_name(&self) -> String {
        self.with(|repository, _| repository.full_name())
    }

    /// The commit at the tip of the base branch.
    pub fn base_sha(&self) -> String {
        self.with(|repository, _| repository.base_sha.clone())
    }

    /// Shows it to members only, or to all.
    pub fn private(&self, private: bool) -> Self {
        self.changed(|repository| repository.private = private)
    }

    /// Makes it read-only, or not.
    pub fn archived(&self, archived: bool) -> Self {
        self.changed(|repository| repository.archived = archived)
    }

    /// Switches its issues on or off; without them comments are answered 410.
    pub fn issues(&self, enabled: bool) -> Self {
        self.changed(|repository| repository.issues_disabled = !enabled)
    }

    /// Gives a login more rights than the public has.
    pub fn member(&self, login: &str, permission: Permission) -> Self {
        self.changed(|repository| {
            repository.members.insert(login.to_owned(), permission);
        })
    }

    /// Gives it another `owner/name`; the old one redirects from now on.
    pub fn rename(&self, owner: &str, name: &str) -> Self {
        self.changed(|repository| {
            repository.former.push(repository.full_name());
            owner.clone_into(&mut repository.owner);
            name.clone_into(&mut repository.name);
        })
    }

    /// Lets something happen after each page of a listing of pull requests.
    pub fn changes_between_pages(&self, change: Change) -> Self {
        self.changed(|repository| repository.change = Some(change))
    }

    /// Makes a commit known.
    pub fn commit(&self, sha: &str, parents: &[&str]) -> Self {
        let parents: Vec<String> = parents.iter().map(|&parent| parent.to_owned()).collect();
        self.with(|repository, now| repository.know(sha, &parents, "contributor", now));
        self.clone()
    }

    /// Pushes a commit on top of a branch, which is made from the default branch when it is new.
    pub fn push(&self, branch: &str, sha: &str) -> Self {
        self.with(|repository, now| {
            let parent = repository.tip(branch).unwrap_or_else(|| repository.base_sha.clone());
            repository.know(sha, &[parent], "maintainer", now);
            if branch == repository.default_branch {
                sha.clone_into(&mut repository.base_sha);
            } else {
                repository.branches.insert(branch.to_owned(), sha.to_owned());
            }
        });
        self.clone()
    }

    /// Makes the repository not know a commit, as one that only exists in a checkout or a fork.
    pub fn forget_commit(&self, sha: &str) -> Self {
        self.changed(|repository| {
            repository.commits.remove(sha);
        })
    }

    /// Opens a pull request from `owner`'s fork.
    pub fn pull_from_fork(&self, owner: &str, branch: &str, head: &str) -> Pull {
        self.open(None, Some(owner), branch, head)
    }

    /// Opens a pull request from a branch of this repository.
    pub fn pull_from_branch(&self, branch: &str, head: &str) -> Pull {
        self.open(None, None, branch, head)
    }

    /// Opens a pull request with this number from `owner`'s fork (None: from a branch).
    ///
    /// # Panics
    /// When the number is taken.
    pub fn open(&self, number: Option<u64>, owner: Option<&str>, branch: &str, head: &str) -> Pull {
        let mut state = lock(&self.world.state);
        let (id, fork, now) = (state.next_id(), state.next_id(), state.now());
        let repository = state.by_id_mut(self.id).expect("repositories are never removed");
        let number = number.unwrap_or(repository.last_number + 1);
        assert!(!repository.pulls.contains_key(&number), "pull request {number} exists already");
        let pull = opened(repository, (number, id, fork), owner, branch, head, now);
        repository.pulls.insert(number, pull);
        repository.last_number = repository.last_number.max(number);
        Pull { world: self.world.clone(), repository: self.id, number }
    }

    /// Opens this many pull requests from forks; the head of number `n` is `sha(n)`.
    pub fn fill(&self, count: u64) -> Self {
        for _ in 0..count {
            let number = self.with(|repository, _| repository.last_number + 1);
            self.open(Some(number), Some("contributor"), &format!("change-{number}"), &sha(number));
        }
        self.clone()
    }

    pub(super) fn has(&self, number: u64) -> bool {
        self.with(|repository, _| repository.pulls.contains_key(&number))
    }

    /// A pull request that exists.
    ///
    /// # Panics
    /// When it does not.
    pub fn pull(&self, number: u64) -> Pull {
        assert!(self.has(number), "there is no pull request {number}");
        Pull { world: self.world.clone(), repository: self.id, number }
    }
}

/// A new pull request with one commit on top of the base branch.
pub(super) fn opened(
    repository: &mut RepositoryState,
    (number, id, fork): (u64, u64, u64),
    owner: Option<&str>,
    branch: &str,
    head: &str,
    now: u64,
) -> PullState {
    let author = owner.unwrap_or("contributor").to_owned();
    let base = repository.base_sha.clone();
    // A pull request from one long-lived branch into another has a head that was there before.
    if head != base {
        repository.know(head, std::slice::from_ref(&base), &author, now);
    }
    let test_merge = sha(format!("test merge of {number} {head}"));
    repository.know(&test_merge, &[base.clone(), head.to_owned()], "web-flow", now);
    let head_repository = match owner {
        Some(owner) => (fork, format!("{owner}/{}", repository.name)),
        None => (repository.id, repository.full_name()),
    };
    PullState {
        number,
        id,
        title: format!("Change {branch}"),
        author: Some(author),
        head_sha: head.to_owned(),
        head_ref: branch.to_owned(),
        head_owner: owner.unwrap_or(&repository.owner).to_owned(),
        head_repository: Some(head_repository),
        base_ref: repository.default_branch.clone(),
        base_sha: base,
        test_merge: Some(test_merge),
        commits: vec![head.to_owned()],
        created: now,
        updated: now,
        ..PullState::default()
    }
}

impl Pull {
    fn with<T>(&self, change: impl FnOnce(&mut RepositoryState, u64, u64) -> T) -> T {
        let mut state = lock(&self.world.state);
        let (id, now) = (state.next_id(), state.now());
        change(state.by_id_mut(self.repository).expect("repositories are never removed"), id, now)
    }

    fn changed(&self, change: impl FnOnce(&mut PullState)) -> Self {
        self.with(|repository, _, now| {
            if let Some(pull) = repository.pulls.get_mut(&self.number) {
                change(pull);
                pull.updated = now;
            }
        });
        self.clone()
    }

    /// Its number.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The commit at its head.
    pub fn head(&self) -> String {
        self.with(|repository, _, _| repository.pulls[&self.number].head_sha.clone())
    }

    /// The commit of its test merge, if there is one.
    pub fn test_merge(&self) -> Option<String> {
        self.with(|repository, _, _| repository.pulls[&self.number].test_merge.clone())
    }

    /// Sets the test merge, or takes it away as while GitHub computes it or on a conflict. The
    /// commit is known with base and head as its parents.
    pub fn set_test_merge(&self, merge: Option<&str>) -> Self {
        self.with(|repository, _, now| {
            let head = self.head_in(repository);
            let base = repository.tip(&repository.pulls[&self.number].base_ref);
            let base = base.unwrap_or_else(|| repository.base_sha.clone());
            if let Some(merge) = merge {
                repository.know(merge, &[base, head], "web-flow", now);
            }
            if let Some(pull) = repository.pulls.get_mut(&self.number) {
                pull.test_merge = merge.map(str::to_owned);
            }
        });
        self.clone()
    }

    fn head_in(&self, repository: &RepositoryState) -> String {
        repository.pulls[&self.number].head_sha.clone()
    }

    /// Pushes a commit on top of the head; the test merge moves too.
    pub fn push(&self, head: &str) -> Self {
        let parent = self.head();
        self.with(|repository, _, now| repository.know(head, &[parent], "contributor", now));
        self.move_head(head, |pull| pull.commits.push(head.to_owned()))
    }

    /// Replaces the head, and all its commits, by this one.
    pub fn force_push(&self, head: &str) -> Self {
        self.with(|repository, id, now| {
            let base = repository.base_sha.clone();
            repository.know(head, &[base], "contributor", now);
            if let Some(pull) = repository.pulls.get_mut(&self.number) {
                let before = pull.head_sha.clone();
                pull.force_pushes.push(ForcePush { id, before, after: head.to_owned(), at: now });
            }
        });
        self.move_head(head, |pull| pull.commits = vec![head.to_owned()])
    }

    fn move_head(&self, head: &str, change: impl FnOnce(&mut PullState)) -> Self {
        self.changed(|pull| {
            head.clone_into(&mut pull.head_sha);
            change(pull);
        });
        let merge = sha(format!("test merge of {} {head}", self.number));
        self.set_test_merge(Some(&merge))
    }

    /// Merges it with this merge commit.
    pub fn merge(&self, merge: &str) -> Self {
        self.with(|repository, _, now| {
            let parents = [repository.base_sha.clone(), self.head_in(repository)];
            repository.know(merge, &parents, "web-flow", now);
            merge.clone_into(&mut repository.base_sha);
        });
        let now = lock(&self.world.state).now();
        self.changed(|pull| pull.merge = Some(Merge { sha: merge.to_owned(), at: now }))
    }

    /// Closes it without merging.
    pub fn close(&self) -> Self {
        self.changed(|pull| pull.closed = true)
    }

    /// Locks its conversation.
    pub fn lock(&self) -> Self {
        self.changed(|pull| pull.locked = true)
    }

    /// Makes it a draft.
    pub fn draft(&self) -> Self {
        self.changed(|pull| pull.draft = true)
    }

    /// Sets its title.
    pub fn title(&self, title: &str) -> Self {
        self.changed(|pull| title.clone_into(&mut pull.title))
    }

    /// Sets the branch it is to be merged into; the test merge moves too if there is that branch.
    pub fn base(&self, branch: &str) -> Self {
        let tip = self.with(|repository, _, _| repository.tip(branch));
        self.changed(|pull| {
            branch.clone_into(&mut pull.base_ref);
            if let Some(tip) = &tip {
                tip.clone_into(&mut pull.base_sha);
            }
        });
        match tip {
            Some(tip) => self.set_test_merge(Some(&sha(format!(
                "test merge of {} into {branch} at {tip}",
                self.number
            )))),
            None => self.clone(),
        }
    }

    /// Deletes the fork it came from: `head.repo` is null from now on.
    pub fn delete_fork(&self) -> Self {
        self.changed(|pull| pull.head_repository = None)
    }

    /// Deletes its author's account: `user` and `head.user` are null from now on.
    pub fn delete_author(&self) -> Self {
        self.changed(|pull| pull.author = None)
    }

    /// Adds a comment of this login and hands back its id.
    pub fn comment(&self, login: &str, body: &str) -> u64 {
        self.with(|repository, id, now| {
            if let Some(pull) = repository.pulls.get_mut(&self.number) {
                pull.comments.push(CommentState {
                    id,
                    body: body.to_owned(),
                    login: login.to_owned(),
                    created: now,
                    updated: now,
                    ..CommentState::default()
                });
            }
            id
        })
    }

    /// Minimises a comment, as a maintainer does with outdated ones.
    pub fn minimize(&self, comment: u64) -> Self {
        self.changed(|pull| {
            for each in pull.comments.iter_mut().filter(|each| each.id == comment) {
                each.minimized = true;
            }
        })
    }
}
