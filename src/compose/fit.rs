//! Makes a text of blocks small enough: the least important give way first.

/// A block of the comment.
pub(crate) struct Block<'a> {
    /// Blocks of a small weight give way before those of a large one.
    pub(crate) weight: u8,
    /// How many hundredths of the limit the block may keep as long as others are larger than that.
    pub(crate) share: usize,
    /// The block as it is shown where there is room.
    pub(crate) text: String,
    /// The block in at most so many characters, or in its smallest form.
    pub(crate) shorter: Box<dyn Fn(usize) -> String + 'a>,
}

impl<'a> Block<'a> {
    /// A block that stays as it is.
    pub(crate) fn fixed(text: String) -> Block<'a> {
        let same = text.clone();
        Block { weight: u8::MAX, share: 100, text, shorter: Box::new(move |_| same.clone()) }
    }
}

/// What stands between two blocks.
const BETWEEN: &str = "\n\n";

/// The number of characters (Unicode scalar values).
pub(crate) fn length(text: &str) -> usize {
    text.chars().count()
}

/// Shortens blocks until all of them together have at most `limit` characters, or until there is
/// nothing left to shorten. First every block that has more than its share gives way, the least
/// important first; then they go down to their smallest form in the same order. Returns whether
/// anything was shortened.
pub(crate) fn fit(blocks: &mut [Block<'_>], limit: usize) -> bool {
    let mut order: Vec<usize> = (0..blocks.len()).collect();
    order.sort_by_key(|&index| blocks[index].weight);
    let mut lengths: Vec<usize> = blocks.iter().map(|block| length(&block.text)).collect();
    let mut shortened = false;
    for keep_share in [true, false] {
        for &index in &order {
            let block = &mut blocks[index];
            let excess = total(&lengths).saturating_sub(limit);
            if excess == 0 {
                return shortened;
            }
            let share = if keep_share { limit * block.share / 100 } else { 0 };
            let room = lengths[index].saturating_sub(excess).max(share);
            if block.weight == u8::MAX || room >= lengths[index] {
                continue;
            }
            let text = (block.shorter)(room);
            let now = length(&text);
            if now < lengths[index] {
                lengths[index] = now;
                block.text = text;
                shortened = true;
            }
        }
    }
    shortened
}

fn total(lengths: &[usize]) -> usize {
    lengths.iter().filter(|&&length| length > 0).map(|length| length + BETWEEN.len()).sum()
}

/// Puts the blocks together.
pub(crate) fn joined<'t>(texts: impl IntoIterator<Item = &'t str>) -> String {
    let mut all = String::new();
    for text in texts.into_iter().filter(|text| !text.is_empty()) {
        if !all.is_empty() {
            all.push_str(BETWEEN);
        }
        all.push_str(text);
    }
    all
}

/// As many lines as fit into `max` characters, then what `more` says of the number left out;
/// `hidden` lines more exist than are given.
pub(crate) fn lines_within(
    lines: &[String],
    hidden: usize,
    max: usize,
    more: impl Fn(usize) -> String,
) -> String {
    let mut used = 0;
    let all: usize = lines.iter().map(|line| length(line) + 1).sum();
    let whole = hidden == 0 && all <= max;
    let room =
        if whole { max } else { max.saturating_sub(length(&more(lines.len() + hidden)) + 1) };
    let fits = |line: &&String| {
        used += length(line) + 1;
        used <= room
    };
    let kept = lines.iter().take_while(fits).count();
    let mut text = lines[..kept].join("\n");
    if !whole {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&more(lines.len() - kept + hidden));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letters(weight: u8, share: usize, letter: &str, count: usize) -> Block<'static> {
        let text = letter.repeat(count);
        let all = text.clone();
        Block {
            weight,
            share,
            text,
            shorter: Box::new(move |max| all[..max.min(count)].to_owned()),
        }
    }

    #[test]
    fn what_fits_is_left_alone() {
        let mut blocks = vec![letters(1, 10, "a", 40), Block::fixed("b".repeat(40))];
        assert!(!fit(&mut blocks, 84));
        assert_eq!(length(&blocks[0].text), 40);
    }

    #[test]
    fn a_huge_block_gives_way_before_small_ones_of_less_weight() {
        let mut blocks = vec![letters(1, 20, "a", 10), letters(5, 50, "b", 10_000)];
        assert!(fit(&mut blocks, 100));
        assert_eq!(length(&blocks[0].text), 10);
        assert!(length(&joined(blocks.iter().map(|b| b.text.as_str()))) <= 100);
    }

    #[test]
    fn the_least_important_goes_first_when_shares_do_not_help() {
        let mut blocks =
            vec![letters(1, 50, "a", 50), letters(2, 50, "b", 50), Block::fixed("c".repeat(48))];
        assert!(fit(&mut blocks, 100));
        assert_eq!(length(&blocks[0].text), 0);
        assert_eq!(length(&blocks[1].text), 48);
        assert_eq!(length(&blocks[2].text), 48);
    }

    #[test]
    fn lines_left_out_are_counted() {
        let lines: Vec<String> = (0..100).map(|n| format!("line {n:03}")).collect();
        let text = lines_within(&lines, 0, 100, |rest| format!("and {rest} more"));
        assert!(length(&text) <= 100, "{text}");
        assert!(text.ends_with("and 91 more"), "{text}");
        assert_eq!(lines_within(&lines, 0, 10_000, |_| String::new()), lines.join("\n"));
        let text = lines_within(&lines[..2], 98, 10_000, |rest| format!("and {rest} more"));
        assert_eq!(text, "line 000\nline 001\nand 98 more");
    }
}
