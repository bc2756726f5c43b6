module adapter

go 1.22

require github.com/lima-vm/go-qcow2reader v0.6.0
