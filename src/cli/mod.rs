//! Arguments to configuration; opens files, looks at the terminal, chooses the exit status.
