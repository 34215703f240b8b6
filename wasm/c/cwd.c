// Opens each argument and prints its text: "r:PATH" reads, "w:PATH" writes the letter x first. Relative names mean the working directory.
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv) {
  char text[64];
  for (int i = 1; i < argc; i++) {
    const char *path = argv[i] + 2;
    FILE *file = fopen(path, argv[i][0] == 'w' ? "w+" : "r");
    if (file == NULL) {
      printf("%s -\n", path);
      continue;
    }
    if (argv[i][0] == 'w') {
      fputs("x", file);
      rewind(file);
    }
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    printf("%s %s\n", path, text);
  }
  return 0;
}
