"""Real names that a typing mistake or two would turn into other real names: correcting them goes to another medicine.

Each lies within the edits that `spelling.most_edits` forgives from another of them. A corpus that holds only one of the
two must say of the other that it isn't there. Names common enough to stand in the general word list are left out.
"""

from __future__ import annotations

from typing import Final

LOOK_ALIKES: Final = frozenset(
    "aclidinium afatinib axitinib beclomethasone benralizumab betamethasone bevacizumab cefepime cefixime "
    "cefpodoxime ceftazidime ceftizoxime chloroprocaine chlorpromazine chlorpropamide cilnidipine cladribine "
    "claritine clevidipine clidinium clobetasol clobetasone cycloserine cyclosporine dalotuzumab dapoxetine "
    "daratumumab daunorubicin doxorubicin duloxetine empagliflozin ertugliflozin florbetaben florbetapir "
    "flubendazole fluconazole fludarabine flunarizine gadobenate gadoterate gadoxetate gatifloxacin gemifloxacin "
    "histidinate hydralazine hydroxyzine ioflupane isoflurane latanoprost latanoprostene levofloxacin "
    "levothyroxine linaclotide liothyronine liraglutide lomefloxacin methylprednisolone methylprednisone "
    "migalastat miglustat natalizumab nemolizumab nicardipine nifedipine nimodipine nisoldipine orfadin orfarin "
    "pemigatinib pexidartinib phentermine phentolamine pitavastatin pravastatin prednisolone prednisone "
    "prilocaine procainamide procaine promethazine prothionamide protionamide pyrimethamine ranibizumab "
    "raxibacumab sapropterin saxagliptin sepiapterin sitagliptin somatrogon somatropin sulfadiazine sulfadoxine "
    "sulfasalazine terbinafine terbutaline terfenadine thiabendazole tiabendazole triclabendazole valacyclovir "
    "valganciclovir vinblastine vincristine zocon zocor".split()
)
