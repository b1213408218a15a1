//! What kubectl says to wrong command lines, recorded (tests/data/kubectl-errors.json), and what this binary says to them:
//! the same sentences and exit codes.

use crate::parity::assert_replayed;

#[test]
fn wrong_command_lines_are_answered_as_kubectl_answers_them_but_for_the_listed() {
    assert_replayed("kubectl-errors.json", "## Where errors differ from kubectl's", 300);
}
