export const COMMONJS_IN_MODULE: string
