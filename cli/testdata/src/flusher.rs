//! Sources for the snippets in the snapshots of reports; never compiled.

fn flush(bank: &Bank) {
	let audit = bank.audit.lock().unwrap();
    for entry in audit.iter() {
        if bank
            .accounts
            .lock()
            .unwrap()
            .contains(entry)
        {
            write(entry);
        }
    }
}
