//! openh264 fed NAL by NAL: it finds where a picture ends by slice headers alone, as the standard has it, and so sees
//! what players that are handed whole samples do not.

use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::bitstream::Stream;
use crate::numbers::{BITS, BLOCK, ROWS, number};

/// Frames around an IDR picture in which openh264 up to 2.3.1 may show a neighbour: it gives a picture that waits for
/// its turn to the next one. It does so with any stream that has B pictures, those of one plain run of x264 too.
const UNSURE: usize = 4;

impl Stream {
    /// openh264 gives exactly as many pictures as there are frames, and the right ones where it can be relied on.
    pub(crate) fn is_whole_in_openh264(&self, expected: &[u16]) {
        let shown = self.shown_by_openh264();
        assert_eq!(shown.len(), expected.len(), "pictures out of openh264, NAL by NAL");
        let keys: Vec<usize> = self.idr_samples().map(|sample| self.frame_of(sample)).collect();
        for (frame, (shown, expected)) in shown.iter().zip(expected).enumerate() {
            if !keys.iter().any(|key| key.abs_diff(frame) <= UNSURE) {
                assert_eq!(shown, expected, "number of frame {frame}, out of openh264");
            }
        }
    }

    /// The numbers of the pictures that come out.
    pub(crate) fn shown_by_openh264(&self) -> Vec<u16> {
        let mut child = Command::new(program())
            .args([BLOCK, BITS, ROWS].map(|number| number.to_string()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = BufWriter::new(child.stdin.take().unwrap());
        let output = std::thread::scope(|scope| {
            scope.spawn(move || {
                for unit in self.bare_units() {
                    input.write_all(&u32::try_from(unit.len()).unwrap().to_be_bytes()).unwrap();
                    input.write_all(unit).unwrap();
                }
                input.flush().unwrap();
            });
            child.wait_with_output().unwrap()
        });
        assert!(output.status.success(), "{}", output.status);
        let text = String::from_utf8(output.stdout).unwrap();
        let luma =
            |line: &str| line.split_whitespace().map(|word| word.parse().unwrap()).collect::<Vec<u8>>();
        text.lines().enumerate().map(|(frame, line)| number(frame, &luma(line))).collect()
    }
}

/// Builds the program beside this file against the system's openh264, once a test process.
fn program() -> &'static PathBuf {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        let part = directory.join(format!("nal_by_nal.{}", std::process::id()));
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/conformance/nal_by_nal.c");
        let status =
            Command::new("cc").args(["-O2", "-o"]).arg(&part).args([source, "-lopenh264"]).status().unwrap();
        assert!(status.success(), "{source}: `scripts/install-deps.sh test` installs libopenh264-dev");
        // Other test processes build it too; each finds a whole one.
        let program = directory.join("nal_by_nal");
        std::fs::rename(part, &program).unwrap();
        program
    })
}
