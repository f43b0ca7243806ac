// Package restricted says how Windows is to hold a server: as what kind of user it runs, what its job object allows, and
// where it may write. Use it to start a server there: package sandbox does what a [Plan] says.
//
// It is apart, and builds everywhere, because nobody here can run it: what is decided is pinned by the tests on Linux.
//
// A server runs as the person, without privileges and at low integrity. What is labelled higher, that is nearly everything,
// it cannot write to; reading is not held by that, and neither is the network.
package restricted
