//! Compiles ranges of system call numbers to a binary decision tree in BPF.

use seccompiler::{BpfProgram, sock_filter};

/// What happens to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Allow,
    /// The call fails with this error number.
    Errno(i32),
    /// The process dies by SIGSYS.
    Kill,
}

/// All numbers from `first` to the next range's `first`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NumberRange {
    pub(crate) first: u32,
    pub(crate) action: Action,
}

#[cfg(target_arch = "x86_64")]
const ARCH: u32 = 0xC000_003E;
#[cfg(target_arch = "aarch64")]
const ARCH: u32 = 0xC000_00B7;

/// Offsets in `struct seccomp_data`.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;

const LOAD: u16 = code(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS);
const EQUAL: u16 = code(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K);
const AT_LEAST: u16 = code(libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K);
const JUMP: u16 = code(libc::BPF_JMP | libc::BPF_JA);
const RETURN: u16 = code(libc::BPF_RET | libc::BPF_K);

/// An operation code has 16 bits; libc gives its parts with 32.
const fn code(parts: u32) -> u16 {
    (parts & 0xffff) as u16
}

/// The program for `ranges`, which start at 0 and ascend. A call of another architecture kills the process.
pub(crate) fn compile(ranges: &[NumberRange]) -> BpfProgram {
    let mut program = vec![
        instruction(LOAD, ARCHITECTURE, 0, 0),
        instruction(EQUAL, ARCH, 1, 0),
        give(Action::Kill),
        instruction(LOAD, NUMBER, 0, 0),
    ];
    program.extend(branch(ranges));
    program
}

fn branch(ranges: &[NumberRange]) -> BpfProgram {
    let (low, high) = ranges.split_at(ranges.len() / 2);
    let (Some(_), Some(middle)) = (low.first(), high.first()) else {
        return ranges.iter().map(|range| give(range.action)).collect();
    };
    let (left, right) = (branch(low), branch(high));
    let mut program = match u8::try_from(left.len()) {
        Ok(skip) => vec![instruction(AT_LEAST, middle.first, skip, 0)],
        // Conditional jumps reach 255 instructions; an unconditional one reaches all of them.
        Err(_) => {
            let skip = u32::try_from(left.len()).unwrap_or(u32::MAX);
            vec![instruction(AT_LEAST, middle.first, 0, 1), instruction(JUMP, skip, 0, 0)]
        }
    };
    program.extend(left);
    program.extend(right);
    program
}

fn give(action: Action) -> sock_filter {
    let value = match action {
        Action::Allow => libc::SECCOMP_RET_ALLOW,
        Action::Errno(errno) => libc::SECCOMP_RET_ERRNO | errno.cast_unsigned(),
        Action::Kill => libc::SECCOMP_RET_KILL_PROCESS,
    };
    instruction(RETURN, value, 0, 0)
}

fn instruction(code: u16, k: u32, jt: u8, jf: u8) -> sock_filter {
    sock_filter { code, jt, jf, k }
}

/// Turns single numbers into ranges over all numbers. Numbers that are not listed get `rest`; listed numbers
/// from `end` on are ignored.
pub(crate) fn ranges(
    listed: impl Iterator<Item = (u32, Action)>,
    rest: Action,
    end: u32,
) -> Vec<NumberRange> {
    let mut table: Vec<(u32, Action)> = listed.filter(|(number, _)| *number < end).collect();
    table.sort_by_key(|(number, _)| *number);
    let mut ranges = vec![NumberRange { first: 0, action: rest }];
    for (number, action) in table {
        push(&mut ranges, number, action);
        push(&mut ranges, number + 1, rest);
    }
    ranges
}

/// Appends a range; it replaces the last one when both start at the same number.
pub(crate) fn push(ranges: &mut Vec<NumberRange>, first: u32, action: Action) {
    ranges.pop_if(|last| last.first == first);
    if ranges.last().is_none_or(|last| last.action != action) {
        ranges.push(NumberRange { first, action });
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Runs a program as the kernel would.
    pub(in crate::seccomp) fn run(program: &[sock_filter], arch: u32, number: u32, args: [u64; 6]) -> u32 {
        let mut data = Vec::new();
        data.extend(number.to_le_bytes());
        data.extend(arch.to_le_bytes());
        data.extend(0_u64.to_le_bytes());
        data.extend(args.iter().flat_map(|arg| arg.to_le_bytes()));
        let (mut pc, mut a) = (0, 0_u32);
        loop {
            let i = &program[pc];
            pc += 1;
            let and = code(libc::BPF_ALU | libc::BPF_AND | libc::BPF_K);
            let above = code(libc::BPF_JMP | libc::BPF_JGT | libc::BPF_K);
            let jump = |holds: bool| usize::from(if holds { i.jt } else { i.jf });
            match i.code {
                LOAD => {
                    let at = i.k as usize;
                    a = u32::from_le_bytes(data[at..at + 4].try_into().unwrap());
                }
                RETURN => return i.k,
                JUMP => pc += i.k as usize,
                EQUAL => pc += jump(a == i.k),
                AT_LEAST => pc += jump(a >= i.k),
                code if code == above => pc += jump(a > i.k),
                code if code == and => a &= i.k,
                code => panic!("unknown instruction {code:#x}"),
            }
        }
    }

    pub(in crate::seccomp) fn value(action: Action) -> u32 {
        give(action).k
    }

    #[test]
    fn calls_of_other_architectures_kill() {
        let program = compile(&[NumberRange { first: 0, action: Action::Allow }]);
        assert_eq!(run(&program, ARCH, 1, [0; 6]), value(Action::Allow));
        assert_eq!(run(&program, 0x4000_0003, 1, [0; 6]), value(Action::Kill), "32-bit x86");
    }

    #[test]
    fn the_tree_agrees_with_the_list_at_every_length() {
        for length in [1_u32, 2, 3, 7, 300, 700] {
            let ranges: Vec<NumberRange> = (0..length)
                .map(|n| NumberRange {
                    first: n * 3,
                    action: if n % 2 == 0 { Action::Allow } else { Action::Errno(n.cast_signed()) },
                })
                .collect();
            let program = compile(&ranges);
            for number in 0..length * 3 + 5 {
                let want = ranges.iter().rfind(|range| range.first <= number).unwrap().action;
                assert_eq!(run(&program, ARCH, number, [0; 6]), value(want), "{number} of {length}");
            }
        }
    }
}
