// The cheap calls of the OCI lifecycle, answered without Node: state, start, kill, delete, pause, resume.
#ifndef LAP_QUICK_H
#define LAP_QUICK_H

#define QUICK_NOT_MINE (-1)

// Exit code when the command line was one of them and all went well; QUICK_NOT_MINE leaves it, and every error, to Node.
int quick_command(int argc, char **argv);

#endif
