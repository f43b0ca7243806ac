package probe

func foreign() error { return errNotHere }
