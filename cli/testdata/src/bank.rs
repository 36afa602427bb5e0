//! Sources for the snippets in the snapshots of reports; never compiled.

impl Bank {
    fn transfer(&self, from: usize, to: usize, amount: u64) {
        let mut accounts = self.accounts.lock().unwrap();
        let mut audit = self.audit.lock().unwrap();
        accounts[from] -= amount;
        accounts[to] += amount;
        audit.push(Entry { from, to, amount });
    }

    fn history(&self) -> Vec<String> {
        let audit = self.audit.lock().unwrap();
        audit.iter().map(|entry| format!("{entry:?} in «Zürich»")).collect() // ü before: «é» self.names.read()
    }
}
