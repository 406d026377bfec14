//! The system call filter: an allow-list as data ([`policy`]), compiled once per launcher.
//!
//! Three programs are installed. The first looks at the number alone and is a binary search over ranges
//! ([`decision_tree`]): the kernel runs a filter once for every number when it is installed, so a linear
//! list of 300 comparisons costs 20 times more there. The others, by seccompiler, look at the
//! arguments of the few calls that are allowed only in part ([`arguments`]): seccompiler knows one answer
//! per program, and there are two.

mod arguments;
mod decision_tree;
mod policy;

use seccompiler::BpfProgram;

/// The compiled filter.
#[derive(Debug)]
pub(crate) struct Filter {
    numbers: BpfProgram,
    refusals: BpfProgram,
    pretences: BpfProgram,
}

impl Filter {
    /// Compiles the policy.
    pub(crate) fn compile() -> Result<Self, seccompiler::BackendError> {
        Ok(Self {
            numbers: decision_tree::compile(&policy::ranges()),
            refusals: arguments::refusals()?,
            pretences: arguments::pretences()?,
        })
    }

    /// Binds the calling process to the filter for ever. Also sets `no_new_privs`.
    pub(crate) fn install(&self) -> Result<(), seccompiler::Error> {
        seccompiler::apply_filter(&self.pretences)?;
        seccompiler::apply_filter(&self.refusals)?;
        seccompiler::apply_filter(&self.numbers)
    }
}
