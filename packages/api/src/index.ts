// To come. The room exists so that its place in the import rules is fixed; it exports nothing yet.
export {};
