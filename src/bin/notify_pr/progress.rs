//! What the command says while it works: lines on standard error, and a bar on a terminal.

use std::io::{IsTerminal, Write};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use notify_pr::events::Event;
use notify_pr::{Progress, Stage};

/// Writes a line to standard error. That nobody reads it is no error.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// Tells what happens.
pub(crate) struct Teller {
    quiet: bool,
    bar: Option<ProgressBar>,
    shown: bool,
}

impl Teller {
    /// A bar is drawn only on a terminal, in colour unless `NO_COLOR` is set.
    pub(crate) fn new(quiet: bool, no_color: bool) -> Teller {
        let bar = (!quiet && std::io::stderr().is_terminal()).then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
            let template = match no_color {
                true => "{prefix} [{wide_bar}] {bytes}/{total_bytes} {msg}",
                false => "{prefix} [{wide_bar:.green}] {bytes}/{total_bytes} {msg}",
            };
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style.progress_chars("=> "));
            }
            bar
        });
        Teller { quiet, bar, shown: false }
    }

    /// Tells what is new.
    pub(crate) fn tell(&mut self, progress: &Progress) {
        for event in &progress.news {
            if let Some(line) = line(event) {
                let always = matches!(event, Event::Warning(_) | Event::Missing { .. });
                if always || !self.quiet {
                    self.line(&line);
                }
            }
        }
        let Some(bar) = &self.bar else { return };
        let shows = progress.stage == Stage::Upload && progress.bytes > 0;
        if shows != self.shown {
            self.shown = shows;
            if shows {
                bar.set_draw_target(ProgressDrawTarget::stderr());
                bar.reset();
            } else {
                bar.finish_and_clear();
                bar.set_draw_target(ProgressDrawTarget::hidden());
            }
        }
        if shows {
            bar.set_length(progress.bytes);
            bar.set_position(progress.bytes_done.min(progress.bytes));
            bar.set_prefix("uploading");
            bar.set_message(format!("{}/{} files", progress.files_done, progress.files));
        }
    }

    fn line(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| say(line)),
            None => say(line),
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

fn line(event: &Event) -> Option<String> {
    match event {
        Event::Planned { files: 1, bytes } => Some(format!("notify_pr: 1 file, {bytes} bytes")),
        Event::Planned { files, bytes } if *files > 0 => {
            Some(format!("notify_pr: {files} files, {bytes} bytes"))
        }
        Event::Note(text) => Some(format!("notify_pr: {text}")),
        Event::Warning(text) => Some(format!("notify_pr: warning: {text}")),
        Event::Missing { name, reason } => {
            Some(format!("notify_pr: not uploaded: {name}: {reason}"))
        }
        _ => None,
    }
}
