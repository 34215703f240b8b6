// The entry of the sanitizer build: libc's main calls lap_main.
int lap_main(int argc, char **argv, char **envp);
void lap_exit(int code);

int main(int argc, char **argv, char **envp) { lap_exit(lap_main(argc, argv, envp)); }
