//! The system call filter: an allow-list as data ([`policy`]), compiled once per launcher.
//!
//! Three programs are installed. The first checks the number alone and is a binary search over ranges
//! ([`decision_tree`]): when a filter is installed, the kernel runs it once for every number, so a linear
//! list of 300 comparisons would take 20 times longer. The other two are made by seccompiler and check the
//! arguments of the few calls that are allowed only in part ([`arguments`]). They are two because a program
//! of seccompiler has one answer, and two are needed.

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

    /// Puts the calling process under the filter permanently. Also sets `no_new_privs`.
    pub(crate) fn install(&self) -> Result<(), seccompiler::Error> {
        seccompiler::apply_filter(&self.pretences)?;
        seccompiler::apply_filter(&self.refusals)?;
        seccompiler::apply_filter(&self.numbers)
    }
}
