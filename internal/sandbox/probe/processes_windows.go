package probe

import (
	"errors"
	"unicode/utf16"
	"unsafe"

	"golang.org/x/sys/windows"
)

// signals asks for the right to end a process.
func signals(pid int) error {
	h, err := windows.OpenProcess(windows.PROCESS_TERMINATE, false, uint32(pid))
	if err != nil {
		return err
	}
	return windows.CloseHandle(h)
}

// mostEnvironment bounds what is read of another process.
const mostEnvironment = 1 << 20

// environment reads that of a process out of its memory. What leads there are addresses of another process: they are kept
// as numbers.
func environment(pid int) ([]byte, error) {
	h, err := windows.OpenProcess(windows.PROCESS_QUERY_INFORMATION|windows.PROCESS_VM_READ, false, uint32(pid))
	if err != nil {
		return nil, err
	}
	defer windows.CloseHandle(h)
	var basic [6]uintptr // PROCESS_BASIC_INFORMATION: the second is where the process environment block is
	err = windows.NtQueryInformationProcess(h, windows.ProcessBasicInformation, unsafe.Pointer(&basic), uint32(unsafe.Sizeof(basic)), nil)
	if err != nil {
		return nil, err
	}
	parameters, err := number(h, basic[1]+unsafe.Offsetof(windows.PEB{}.ProcessParameters))
	if err != nil {
		return nil, err
	}
	at, err1 := number(h, parameters+unsafe.Offsetof(windows.RTL_USER_PROCESS_PARAMETERS{}.Environment))
	size, err2 := number(h, parameters+unsafe.Offsetof(windows.RTL_USER_PROCESS_PARAMETERS{}.EnvironmentSize))
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	text := make([]uint16, min(size, mostEnvironment)/2)
	if len(text) == 0 {
		return nil, nil
	}
	err = windows.ReadProcessMemory(h, at, (*byte)(unsafe.Pointer(&text[0])), uintptr(len(text)*2), nil)
	return []byte(string(utf16.Decode(text))), err
}

func number(process windows.Handle, at uintptr) (n uintptr, err error) {
	err = windows.ReadProcessMemory(process, at, (*byte)(unsafe.Pointer(&n)), unsafe.Sizeof(n), nil)
	return n, err
}
