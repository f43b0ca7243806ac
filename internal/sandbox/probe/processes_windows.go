package probe

import "golang.org/x/sys/windows"

// signals asks for the right to end a process.
func signals(pid int) error { return opens(pid, windows.PROCESS_TERMINATE) }

// environment asks for the right to read a process's memory, where its environment is. That the secret is in it is not
// looked at.
func environment(pid int) ([]byte, error) {
	if err := opens(pid, windows.PROCESS_QUERY_INFORMATION|windows.PROCESS_VM_READ); err != nil {
		return nil, err
	}
	return []byte("readable"), nil
}

func opens(pid int, rights uint32) error {
	h, err := windows.OpenProcess(rights, false, uint32(pid))
	if err != nil {
		return err
	}
	return windows.CloseHandle(h)
}
