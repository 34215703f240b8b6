// Copying a directory tree by descriptors, for tmpcopyup.
#ifndef LAP_COPY_H
#define LAP_COPY_H

// Copies what `from` holds (files, directories, links, with owner and mode) into the directory `to`; errno. Devices, sockets and
// fifos are left out; a tree deeper than 64 is ELOOP.
int copy_tree(int from, int to);

#endif
