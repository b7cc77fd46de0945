//! Where the headers stand in a packet: link, IP, TCP, UDP. Views that judge nothing.
