"""Pages of the operator: organisations to approve, people, jobs, the audit log."""
