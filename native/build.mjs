// Builds native/out/<arch>/ with the machine's C compiler. Placeholder body is replaced by the native room.
console.log("native: nothing to build yet");
