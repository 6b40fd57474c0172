use super::*;

/// Shows where a text was broken.
fn shown(text: &str) -> String {
    text.replace(BREAK, "¦")
}

fn made(summary: &str) -> String {
    shown(&harmless(summary))
}

#[test]
fn mentions_do_not_ping_in_text_in_code_and_as_entities() {
    for (summary, expected) in [
        ("@everyone look", "@¦everyone look"),
        ("cc @org/team, (@a)", "cc @¦org/team, (@¦a)"),
        ("`@bot test` **@x**", "`@¦bot test` **@¦x**"),
        ("```\nlog: @blueorangutan test\n```", "```\nlog: @¦blueorangutan test\n```"),
        (
            "&#64;x &#0064;x &#x40;x &#X40;x &commat;x",
            "&#64;¦x &#0064;¦x &#x40;¦x &#X40;¦x &commat;¦x",
        ),
        ("@&#97;lice", "@¦&#¦97;lice"),
        ("@\u{200B}\u{0}x", "@¦x"),
        ("<p>&nbsp@x &#64x &#x40x", "<p>&nbsp@¦x &#¦64x &#¦x40x\n\n</p>"),
        ("mail root@host.example and a @ b", "mail root@host.example and a @ b"),
    ] {
        assert_eq!(made(summary), expected);
    }
}

#[test]
fn commands_to_bots_are_broken_at_the_start_of_lines_also_in_code() {
    for (summary, expected) in [
        ("/retest", "¦/retest"),
        ("  /lgtm cancel", "  ¦/lgtm cancel"),
        ("> /merge\n- /close\n1. !build", "> ¦/merge\n- ¦/close\n1. ¦!build"),
        ("**/ok-to-test**", "**¦/ok-to-test**"),
        ("```\n/retest\n  !build\n/usr/bin/x\n```", "```\n¦/retest\n  ¦!build\n/usr/bin/x\n```"),
        ("/usr/bin and a /retest", "¦/usr/bin and a /retest"),
    ] {
        assert_eq!(made(summary), expected);
    }
}

#[test]
fn references_leave_no_trace_elsewhere() {
    for (summary, expected) in [
        ("fixes #12, o/r#3, GH-4, gh-5", "fixes #¦12, o/r#¦3, GH-¦4, gh-¦5"),
        ("&#35;1 &num;1 #&#49;", "&#35;¦1 &num;¦1 #¦&#¦49;"),
        ("see https://github.com/o/r/issues/1", "see https://redirect.github.com/o/r/issues/1"),
        (
            "[x](https:\\/\\/github.com:443/o/r/pull/1)",
            "[x](https:\\/\\/redirect.github.com:443/o/r/pull/1)",
        ),
        ("[x](HTTP://GitHub.com/o/r/pull/1#2)", "[x](HTTP://redirect.GitHub.com/o/r/pull/1#¦2)"),
        ("https://www.github.com/o/r/pull/1", "https://¦www.github.com/o/r/pull/1"),
        (
            "https://github.com/o/r/tree/x https://h/p#1",
            "https://github.com/o/r/tree/x https://h/p#1",
        ),
        ("# Heading\nSIGH-4 #x", "# Heading\nSIGH-4 #x"),
    ] {
        assert_eq!(made(summary), expected);
    }
}

#[test]
fn comments_our_marker_and_foreign_tags_become_visible() {
    for (summary, expected) in [
        ("<!-- notify_pr:1 {} -->", "<¦!-- notify_pr:1 {} -->"),
        ("```\n<!-- notify_pr:1 {} -->\n```", "```\n<¦!-- notify_pr:1 {} -->\n```"),
        ("<script>x</script><img src=x>", "<¦script>x<¦/script><¦img src=x>"),
        ("<pre>\n<?x\n<![CDATA[", "<¦pre>\n<¦?x\n<¦!¦[CDATA["),
        ("Vec<String> `a<b>c`", "Vec<¦String> `a<¦b>c`"),
        ("<b>bold</b> <b>open a<br>b 1 < 2", "<¦b>bold<¦/b> <¦b>open a<br>b 1 < 2"),
        ("<b>bold <i>both</i></b>", "<b>bold <i>both</i></b>"),
        ("<https://h/x> <a@b.c>", "<https://h/x> <¦a@b.c>"),
        ("<details onclick=x>", "<¦details onclick=x>"),
    ] {
        assert_eq!(made(summary), expected);
    }
}

#[test]
fn folding_tags_are_closed_and_close_nothing_of_ours() {
    for (summary, expected) in [
        (
            "<details>\n<summary>s</summary>\n\ntext",
            "<details>\n<summary>s</summary>\n\ntext\n\n</details>",
        ),
        ("</details>\nx", "<¦/details>\nx"),
        ("text </details>", "text <¦/details>"),
        ("  <table>\n<tr><td>a<td>b\n</table>", "<table>\n<tr><td>a<td>b\n</table>"),
        ("<ul><li>a", "<ul><li>a\n\n</li></ul>"),
        ("</p><details>", "<¦/p><¦details>"),
    ] {
        assert_eq!(made(summary), expected);
    }
    let deep = made(&"<details>\n".repeat(50));
    assert_eq!(deep.matches("</details>").count(), 32);
}

#[test]
fn fences_stand_where_nothing_else_ends_them_and_are_closed() {
    for (summary, expected) in [
        ("a\n```log\n#1 <x>", "a\n\n```log\n#1 <x>\n```"),
        ("~~~~\n```\n~~~\n@x", "~~~~\n```\n~~~\n@¦x\n~~~~"),
        ("- a\n  ```\n  x\n  ```\n@b", "- a\n\n```\n  x\n```\n@¦b"),
        ("- ```\n  x\n  ```", "-\n\n```\n  x\n```"),
        ("<details>\n```\n<x>\n```\n</details>", "<details>\n\n```\n<x>\n```\n</details>"),
        ("``` a`b\n<x>", "``` a`b\n<¦x>"),
        ("> ```\n> <x>", "> ```\n> <¦x>"),
    ] {
        assert_eq!(made(summary), expected);
    }
}

#[test]
fn images_become_links_and_invisible_characters_go() {
    assert_eq!(made("![a](https://h/x.png) !![b](u)"), "[a](https://h/x.png) !!¦[b](u)");
    assert_eq!(made("a\r\nb\rc\u{0}\u{1b}[0m\u{202E}d\u{FEFF}"), "a\nb\nc[0md");
    assert_eq!(made("&#x202E;a &rlm;b &amp; &copy;"), "&#¦x202E;a &¦rlm;b &amp; &copy;");
}

#[test]
fn inline_text_looks_as_it_was_and_does_nothing() {
    for (text, expected) in [
        ("test_01_create_volume", "test_01_create_volume"),
        (
            "_a_ *b* `c` [d](e) <f> ~g~ a|b \\ $x$",
            "&#95;a&#95; &#42;b&#42; &#96;c&#96; &#91;d&#93;(e) &lt;f&gt; &#126;g&#126; a&#124;b &#92; &#36;x&#36;",
        ),
        ("@x a@b.c #1 o/r#2 GH-3", "@¦x a@¦b.c #¦1 o/r#¦2 GH-¦3"),
        ("https://h www.h.example", "https:¦//h www¦.h.example"),
        (":+1: 12:30:45 :100:", ":¦+1: 12:30:45 :¦100:"),
        ("# a\nb\r\n\tc\u{0}", "&#35;¦ a b c"),
        ("1. a", "1&#46; a"),
        ("/retest", "¦/retest"),
        ("&#64;x <!-- y", "&amp;#¦64;x &lt;!-- y"),
    ] {
        assert_eq!(shown(&inline(text)), expected);
    }
}

#[test]
fn code_spans_and_blocks_cannot_be_left() {
    assert_eq!(code("a"), "`a`");
    assert_eq!(code("a``b"), "```a``b```");
    assert_eq!(code("`a"), "`` `a ``");
    assert_eq!(code_cell("a|b"), "`a\\|b`");
    assert_eq!(code(""), "");
    assert_eq!(shown(&code("<!-- notify_pr:1\n-->")), "`<¦!-- notify_pr:1 -->`");
    assert_eq!(shown(&fence("a\n````\n/retest", "lo`g\nx")), "`````logx\na\n````\n¦/retest\n`````");
    assert_eq!(fence("", ""), "```\n```");
}

#[test]
fn links_cannot_be_left_and_run_nothing() {
    assert_eq!(link("a]b", "https://h/a b>c(d)|`"), "[a&#93;b](<https://h/a%20b%3Ec(d)%7C%60>)");
    assert_eq!(link("x", "https://h/?a=1&copy;=2&b=3\n"), "[x](<https://h/?a=1&amp;copy;=2&b=3>)");
    assert_eq!(link("x", "https://h/\nü"), "[x](<https://h/%0Aü>)");
    assert_eq!(link("x", "javascript:alert(1)"), "x");
}

#[test]
fn a_summary_of_any_encoding_is_read() {
    assert_eq!(lossy(b"\xEF\xBB\xBFa\r\nb\0\xFF"), "a\nb\u{FFFD}");
    assert_eq!(lossy(b"\xFF\xFEa\0\xE9\0\x00"), "a\u{E9}");
    assert_eq!(lossy(b"\xFE\xFF\0a\xD8\0"), "a\u{FFFD}");
    assert_eq!(lossy(b"\xFF\xFE"), "");
    assert_eq!(size("a\u{1F600}"), Size { scalars: 2, bytes: 5 });
}

#[test]
fn a_cut_text_fits_and_closes_what_it_opened() {
    let text = "# Title\n\n```\nline one\nline two\nline three\n```\n";
    assert_eq!(cut(text, 100), (text.trim_end().to_owned(), false));
    assert_eq!(cut(text, 32), ("# Title\n\n```\nline one\nline t\n```".to_owned(), true));
    assert_eq!(
        cut("<details>\n\nsome words", 28),
        ("<details>\n\nsome\n\n</details>".to_owned(), true)
    );
    assert_eq!(cut("words and words", 11), ("words and".to_owned(), true));
    assert_eq!(cut("a `code span` here", 9), ("a ".to_owned(), true));
    assert_eq!(cut("\u{1F600}".repeat(9).as_str(), 3), ("\u{1F600}".repeat(3), true));
    assert_eq!(cut("x", 0), (String::new(), true));
    assert_eq!(closed("a\n~~~~x\nb\n"), "a\n~~~~x\nb\n~~~~");
}

/// Whether a mention is left, read as GitHub reads text: letters, digits and `_` before an `@`
/// make it part of a word.
fn mentions(text: &str) -> bool {
    text.match_indices('@').any(|(at, _)| {
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        (!text[..at].ends_with(word) || text[..at].ends_with("&nbsp"))
            && text[at + 1..].starts_with(|c: char| word(c) || c == '&')
    })
}

fn outside_fences(text: &str) -> String {
    let mut outline = Outline::default();
    let mut outside = String::new();
    for line in text.lines() {
        let was_inside = outline.in_fence();
        outline.read(line);
        if !was_inside && !outline.in_fence() {
            outside.push_str(line);
            outside.push('\n');
        }
    }
    outside
}

#[test]
fn hostile_summaries_stay_harmless_however_they_are_put_together_and_cut() {
    let pieces = [
        "@user",
        "@",
        "&#64;",
        "&commat;",
        "&#97;",
        "user",
        "#12",
        "#",
        "GH-",
        "7",
        "`",
        "``",
        "```",
        "````",
        "~~~",
        "\n",
        "\n",
        "\n\n",
        "    ",
        "  ",
        "\t",
        "> ",
        "- ",
        "1. ",
        "<!--",
        "-->",
        "<!",
        "<",
        ">",
        "/",
        "<details>",
        "</details>",
        "<summary>",
        "<b>",
        "</b>",
        "<table>",
        "</td>",
        "<pre>",
        "<script>",
        "\\",
        "/retest",
        "!build",
        "![",
        "](",
        "https://github.com/o/r/issues/1",
        ")",
        "\u{202E}",
        "\u{200B}",
        "\0",
        "\r\n",
        "é",
        "\u{1F600}",
        "notify_pr:1",
        "&",
        ";",
        "*",
        "_",
        "word ",
        "|",
        "!",
    ];
    let mut random = fastrand::Rng::with_seed(11);
    for _ in 0..3_000 {
        let summary: String =
            (0..random.usize(1..40)).map(|_| pieces[random.usize(..pieces.len())]).collect();
        let out = harmless(&summary);
        assert!(!mentions(&out), "{summary:?}\n{out}");
        assert!(!out.contains("<!"), "{summary:?}\n{out}");
        let text = outside_fences(&out);
        for trap in ["![", "//github.com/", " GH-7", "\nGH-7", "<script", "<pre"] {
            assert!(!text.contains(trap), "{trap} in {summary:?}\n{out}");
        }
        // In an address it is a fragment.
        for word in text.split_whitespace().filter(|word| !word.contains("https://")) {
            assert!(!word.contains("#12") && !word.contains("#7"), "{summary:?}\n{out}");
        }
        assert_eq!(closed(&out), out, "something is left open: {summary:?}");
        assert_eq!(harmless(&out), out, "{summary:?}");
        for line in text.lines() {
            let mut bare = line.trim_start();
            while let Some(rest) = bare.strip_prefix('>').or(bare.strip_prefix("- ")) {
                bare = rest.trim_start();
            }
            assert!(!bare.starts_with("/retest"), "{summary:?}\n{out}");
        }
        let most = random.usize(..out.chars().count() + 3);
        let (part, was_cut) = cut(&out, most);
        assert!(part.chars().count() <= most, "{most}: {out:?}");
        assert_eq!(was_cut, part.len() < out.len());
        assert_eq!(closed(&part), part, "{most}: {out:?}");
        let (_, _, _) = (inline(&summary), fence(&summary, &summary), link(&summary, &summary));
        let block = fence(&summary, "");
        assert_eq!(closed(&block), block, "{summary:?}");
        assert!(!mentions(&inline(&summary)) && !mentions(&code(&summary)), "{summary:?}");
    }
}

#[test]
fn a_long_line_without_a_blank_is_no_burden() {
    for piece in ["#1", "<", "/", "@", "@a", "&", "a.", ":", "!", "`", "<b>", "github.com/", "["] {
        let text = piece.repeat(50_000 / piece.len());
        assert!(harmless(&text).len() >= 1_000);
        assert!(inline(&text).len() >= text.trim().len());
        assert!(cut(&text, 60_000).0.len() <= 60_000);
    }
}

#[test]
fn a_long_text_is_made_harmless_in_parts_as_it_is_as_a_whole() {
    let text = "| @a | <details> |\r\n```sh\n@b\n```\nä #1 </details>\u{2028}x\n".repeat(5_000);
    for text in [text.as_str(), &text[..200_001], "", "\n", &"@a ".repeat(100_000)] {
        let asked = std::cell::Cell::new(0);
        let in_parts = super::harmless_if(text, &|| {
            asked.set(asked.get() + 1);
            Ok(())
        });
        assert_eq!(in_parts.unwrap(), harmless(text));
        assert!(text.len() < 200_000 || !text.contains('\n') || asked.get() > 2);
    }
}
