export function leftProcesses(mark: string): { pid: number; command: string }[]
export function leftFiles(folder: string): string[]
