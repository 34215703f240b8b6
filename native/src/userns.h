// The program lap-userns, in the helper's file: see userns.c.
#ifndef LAP_USERNS_H
#define LAP_USERNS_H

int userns_main(int argc, char **argv, char **envp);

#endif
