//! Ctrl-C while another program runs.

/// From now on an interrupt from the terminal, which reaches the whole process group, is the running program's affair: it ends, and
/// its run is reported. That is how a user who sees his program hang learns where.
pub fn leave_to_child() {
    // Fails only where a handler stands already.
    let _ = ctrlc::set_handler(|| {});
}
