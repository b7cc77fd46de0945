//! Where packets come from: capture files, standard input, an interface.
