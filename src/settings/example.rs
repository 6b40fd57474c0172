//! The example INI, drawn from the table.

use std::fmt::Write;

use super::Settings;

const WIDTH: usize = 98;

/// The text of `examples/notify_pr.ini`: every setting, commented out, with its default or an
/// example, and at the end the section `[details]`.
///
/// A line that can be uncommented begins with `#` and a name, a line of explanation with `#` and
/// a blank.
pub fn example_ini() -> String {
    let mut ini = String::new();
    paragraph(
        &mut ini,
        "Settings of notify_pr. Remove the # before a line to set it. A value goes to the end of \
         its line as it is written: quotes, %, ; and # are part of it. Every setting may also be \
         given as an option (--full-detail-dir) or a variable (NOTIFY_PR_FULL_DETAIL_DIR), and \
         those win. Relative paths begin at the working directory. Whoever can read this file can \
         read the secrets in it: chmod 600.",
    );
    let mut chapter = None;
    for setting in Settings::table() {
        if chapter != Some(setting.chapter()) {
            chapter = Some(setting.chapter());
            let title = setting.chapter().title();
            let _ = write!(ini, "\n# ---- {title} {}\n", "-".repeat(WIDTH - 8 - title.len()));
        }
        let full_stop = format!("{}. {}", setting.help(), setting.more());
        ini.push('\n');
        paragraph(&mut ini, full_stop.trim());
        let takes = setting.kind().takes();
        let takes = match setting.default() {
            "" => format!("Takes {takes}. For example:"),
            default if default == setting.example() => format!("Takes {takes}. The default:"),
            default => format!("Takes {takes}. The default is {default}. For example:"),
        };
        paragraph(&mut ini, &takes);
        let _ = writeln!(ini, "#{} = {}", setting.name(), setting.example());
    }
    let title = "Details";
    let _ = write!(ini, "\n# ---- {title} {}\n\n", "-".repeat(WIDTH - 8 - title.len()));
    paragraph(
        &mut ini,
        "Free rows of the table in the comment, in this order. They stand last, because what \
         follows a section belongs to it.",
    );
    ini.push_str("[details]\n#Hypervisor = KVM on CentOS 7\n#Network = Advanced\n");
    ini
}

fn paragraph(ini: &mut String, text: &str) {
    let mut line = String::from("#");
    for word in text.split(' ') {
        if line.len() + 1 + word.len() > WIDTH {
            ini.push_str(&line);
            ini.push('\n');
            line = String::from("#");
        }
        line.push(' ');
        line.push_str(word);
    }
    ini.push_str(&line);
    ini.push('\n');
}
